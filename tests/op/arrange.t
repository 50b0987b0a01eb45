# Composites that repeat, move, take apart and rotate dimensions.

repeat f32[2,3] repeats=[2,1]
repeat f32[2,3] repeats=[2,1,3]
repeat f32[B,3] repeats=[2,2]
repeat f32[2,1,2,1,2,1,1,2] repeats=[1,2,1,1,2,1,1,2]
repeat f32[] repeats=[3]
repeat f32[] repeats=[]
repeat f32[3] repeats=["B"]
repeat f64[2]=[1,2] repeats=[0] -> []
repeat i32[2]=[1,2] repeats=[2,2] -> [1,2,1,2,1,2,1,2]
repeat bool[2]=[1,0] repeats=2 -> [1,0,1,0]
repeat f64[2]=[1,nan] repeats=2 -> [1,nan,1,nan] ct [1,2,4,8] d [5,10]
tile f32[2,3] dims=2
tile f32[2,3] dims=[2,1,3]
tile f32[B,3] dims=[2,1]
tile i32[2,1]=[1,2] dims=[2] -> [1,1,2,2]
repeat_interleave f32[2,3] repeats=2
repeat_interleave f32[2,3,2] repeats=3 dim=1
repeat_interleave f32[B,3] repeats=2 dim=0
repeat_interleave f32[3] repeats="B" dim=-1
repeat_interleave f32[] repeats=2 dim=0
repeat_interleave f64[2]=[1,2] repeats=2 -> [1,1,2,2] ct [1,2,4,8] d [3,12]
repeat_interleave i32[2]=[1,2] repeats=0 -> []
movedim f32[2,3,4] source=0 destination=-1
movedim f32[2,3,4] source=[0,1] destination=[2,0]
movedim f32[B,3] source=1 destination=0
movedim f32[] source=0 destination=-1
movedim i32[2,2]=[1,2,3,4] source=0 destination=1 -> [1,3,2,4]
moveaxis i32[2,2]=[1,2,3,4] source=1 destination=0 -> [1,3,2,4]
swapaxes i32[2,2]=[1,2,3,4] dim0=0 dim1=1 -> [1,3,2,4]
unbind f32[3,4] results(3)
unbind f32[B,2,3] dim=1 results(2)
unbind f64[2]=[1,2] results(2) -> [1] [2] ct [3] [4] d [3,4]
unbind i32[2,2]=[1,2,3,4] dim=-1 results(2) -> [1,3] [2,4]
diagonal f32[3,4]
diagonal f32[4,3] offset=1
diagonal f32[4,3] offset=-2
diagonal f32[B,3,3] dim1=1 dim2=2
diagonal f32[2,3,4] dim1=-1 dim2=0
diagonal f64[2,2]=[1,nan,inf,4] -> [1,4] d [1,0,0,1]
diagonal f64[2,3]=[1,2,3,4,5,6] offset=3 -> [] d [0,0,0,0,0,0]
diagonal f64[2,3]=[1,2,3,4,5,6] offset=-1 -> [4] d [0,0,0,1,0,0]
diagonal i32[2,3]=[1,2,3,4,5,6] offset=1 -> [2,6]
diagonal bool[2,2]=[1,0,0,0] -> [1,0]
diag_embed f32[3]
diag_embed f32[B,3] offset=1
diag_embed f32[2,3] offset=-1 dim1=0 dim2=2
diag_embed f32[2,3] dim1=2 dim2=0 offset=2
diag_embed f64[2]=[nan,2] -> [nan,0,0,2] ct [1,2,4,8] d [1,8]
diag_embed i32[2]=[1,2] offset=-1 -> [0,0,0,1,0,0,0,2,0]
diag_embed f64[0] offset=1 -> [0]
trace f32[3,4]
trace f32[4,2]
trace f64[0,3] -> [0]
trace f64[2,2]=[1,nan,inf,4] -> [5] d [1,0,0,1]
trace i8[2,2]=[100,1,1,100] -> [200]
rot90 f32[2,3]
rot90 f32[2,3] k=-1
rot90 f32[2,3,4] k=2 dims=[0,2]
rot90 f32[B,3] k=3
rot90 f32[2,3] k=4
rot90 i32[2,2]=[1,2,3,4] -> [2,4,1,3]
meshgrid f32[2] f32[3] results(2)
meshgrid f32[2] f32[] f32[3] indexing=xy results(3)
meshgrid f32[B] f32[3] indexing=xy results(2)
meshgrid f32[3] indexing=xy results(1)
meshgrid i32[2]=[1,2] i32[2]=[3,4] results(2) -> [1,1,2,2] [3,4,3,4]
meshgrid f64[2]=[1,2] f64[1]=[3] indexing=xy results(2) -> [1,2] [3,3] ct [1,2] [3,4] d [1,2] [7]
