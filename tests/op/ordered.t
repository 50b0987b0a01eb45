# scans, sorts, and what moves elements along a dimension for their derivatives

# ---- shift
shift f32[3,4] dim=1 by=1
shift f32[B,3] dim=0 by=-2 value=1
shift f32[B] dim=0 by=7 value=-1
shift f32[] dim=0 by=1
shift f64[4]=[1,2,3,4] dim=0 by=1 value=9 -> [9,1,2,3] ct [1,2,3,4] d [2,3,4,0]
shift f64[4]=[1,2,3,4] dim=-1 by=-3 -> [4,0,0,0] ct [1,2,3,4] d [0,0,0,1]
shift i32[3]=[1,2,3] dim=0 by=5 value=7 -> [7,7,7]
shift bool[3]=[1,0,1] dim=0 by=0 value=0 -> [1,0,1]

# ---- sums and products up to each element
cumsum f32[3,4] dim=1
cumsum f32[3,B,2] dim=1 reverse
cumsum f64[] dim=0
cumsum f32[0,3] dim=0
cumsum f64[4]=[1,2,3,4] dim=0 -> [1,3,6,10] ct [1,2,3,4] d [10,9,7,4]
cumsum f64[4]=[1,2,3,4] dim=0 reverse -> [10,9,7,4] ct [1,2,3,4] d [1,3,6,10]
cumsum f64[3]=[1,inf,-inf] dim=0 -> [1,inf,nan]
cumsum i8[3]=[100,100,-1] dim=0 -> [100,200,199]
cumsum i64[2]=[9223372036854775807,1] dim=0 -> [9223372036854775807,-9223372036854775808]
cumsum bool[2,2]=[1,0,1,1] dim=0 -> [1,0,2,1]
cumprod f32[3,4] dim=1
cumprod f32[2,B,2] dim=1 reverse
cumprod f64[4]=[2,3,4,5] dim=0 -> [2,6,24,120] d [76,50,36,24]
cumprod f64[4]=[2,0,4,5] dim=0 -> [2,0,0,0] d [1,50,0,0]
cumprod f64[4]=[0,3,0,5] dim=0 -> [0,0,0,0] d [4,0,0,0]
cumprod f64[3]=[2,0,4] dim=0 reverse -> [0,0,4] ct [1,1,1] d [0,12,1]
cumprod i32[3]=[2,-3,4] dim=0 -> [2,-6,-24]
cumprod f64[2,3] in(0,0) dim=1
linear_recurrence f32[3,4] f32[3,4] dim=1
linear_recurrence f32[2,B,2] f32[2,B,2] dim=1 reverse
linear_recurrence f64[4]=[7,2,0,-1] f64[4]=[1,2,3,4] dim=0 -> [1,4,3,1] ct [1,1,1,1] d [0,1,0,3] [3,1,0,1]
linear_recurrence f64[3]=[2,3,7] f64[3]=[1,1,1] dim=0 reverse -> [9,4,1]

# ---- logarithm of the sum of exponentials up to each element
logcumsumexp f32[3,4] dim=1
logcumsumexp f32[2,B,2] dim=1 reverse
logcumsumexp f64[3]=[1000,1000,-1000] dim=0 -> [1000,1000.6931471805599453,1000.6931471805599453] d [2,1,0]
logcumsumexp f64[3]=[-1000,0,1000] dim=0 -> [-1000,0,1000] ct [1,1,1] d [1,1,1]
logcumsumexp f64[3]=[1,-inf,2] dim=0 -> [1,1,2.313261687518223] d [2.268941421369995,0,0.7310585786300048]
logcumsumexp f64[4]=[-inf,-inf,1,2] dim=0 -> [-inf,-inf,1,2.313261687518223] d [nan,nan,1.2689414213699952,0.7310585786300048]
logcumsumexp f64[2]=[nan,1] dim=0 -> [nan,nan]

# ---- extrema up to each element
cumargmax f32[3,4] dim=1
cumargmax f32[B,3] dim=0
cumargmax f64[5]=[1,3,3,2,3] dim=0 -> [0,1,2,2,4]
cumargmax f64[5]=[1,nan,3,nan,3] dim=0 -> [0,1,1,3,3]
cumargmax i32[2,2]=[-5,2,-6,2] dim=0 -> [0,0,0,1]
cumargmax bool[3]=[0,1,0] dim=0 -> [0,1,1]
cumargmax u64[2]=[1,-1] dim=0 -> [0,1]
cumargmin f32[3,4] dim=-1
cumargmin f64[5]=[1,0,0,nan,-1] dim=0 -> [0,1,2,3,3]

# ---- sorting
argsort f32[3,4]
argsort f32[4,B] dim=0 descending
argsort f32[B,40] dim=1
argsort f64[]=[3] -> [0]
argsort f64[6]=[1,nan,3,nan,-0,0] -> [4,5,0,2,1,3]
argsort f64[6]=[1,nan,3,nan,-0,0] descending stable -> [1,3,2,0,4,5]
argsort f64[4]=[inf,-inf,-1,1] -> [1,2,3,0]
argsort i32[4]=[3,-1,3,-7] descending -> [0,2,1,3]
argsort u64[3]=[1,-1,0] -> [2,0,1]
argsort bool[4]=[1,0,1,0] descending -> [0,2,1,3]
argsort u8[2,2]=[3,4,2,9] dim=0 -> [1,0,0,1]

# ---- what stands on them
cummax f32[3,4] dim=1
cummax f64[B,3] dim=0
cummax f64[5]=[1,3,3,2,3] dim=0 -> [1,3,3,3,3] [0,1,2,2,4] ct [1,2,4,8,16] d [1,2,12,0,16]
cummax f64[4]=[1,nan,3,nan] dim=0 -> [1,nan,nan,nan] [0,1,1,3]
cummax f64[] dim=0
cummin f32[3,4] dim=0
cummin i32[3]=[3,1,1] dim=-1 -> [3,1,1] [0,1,2]
sort f32[3,4]
sort f32[B,4] dim=0 descending
sort f64[5]=[1,nan,-inf,3,1] -> [-inf,1,1,3,nan] [2,0,4,3,1] ct [1,2,3,4,5] d [2,5,1,4,3]
sort f64[] dim=0 
topk f32[3,5] k=2 dim=1
topk f32[B,5] k=3 dim=1 largest=false sorted=false
topk f64[5]=[1,nan,3,2,3] k=3 -> [nan,3,3] [1,2,4]
topk f64[4]=[1,4,2,3] k=0 -> [] []
kthvalue f32[3,5] k=2
kthvalue f32[B,5] k=5 dim=1 keepdim
kthvalue f64[4]=[4,1,3,2] k=3 -> [3] [2] d [0,0,1,0]
median f32[3,5]
median f32[3,4] dim=1
median f32[2,B] dim=1 keepdim
median f64[4]=[4,1,3,2] dim=0 -> [2] [3] d [0,0,0,1]
median f64[4]=[1,nan,3,nan] dim=0 -> [nan] [1] d [0,1,0,0]
median f64[4]=[2,1,2,3] -> [2] [0] d [0.5,0,0.5,0]
median i32[3]=[5,1,3] -> [3] [2]
nanmedian f32[3,4] dim=0
nanmedian f64[4]=[1,nan,3,nan] dim=0 -> [1] [0] d [1,0,0,0]
nanmedian f64[2]=[nan,nan] dim=0 -> [nan] [0]
mode f32[3,4]
mode f32[B,3] dim=0 keepdim
mode f64[6]=[3,1,2,1,3,5] -> [1] [3] d [0,0,0,1,0,0]
mode i32[2,3]=[0,0,1,2,2,2] dim=1 keepdim -> [0,2] [1,2]
quantile f32[3,5] q=0.4
quantile f32[3,5] f32[3] in(0.05,0.2) dim=1
quantile f64[4,B] q=0.3 dim=1 keepdim
quantile f32[3,4] q=0.37 dim=0 interpolation=lower
quantile f32[3,4] q=0.37 dim=0 interpolation=higher
quantile f32[3,4] q=0.37 dim=0 interpolation=nearest
quantile f32[3,4] q=0.37 dim=0 interpolation=midpoint
quantile f64[4]=[4,1,3,2] q=0.5 -> [2.5] d [0,0,0.5,0.5]
quantile f64[4]=[4,nan,3,2] q=0.5 -> [nan]
nanquantile f32[3,5] q=0.4 dim=1
nanquantile f64[4]=[4,nan,3,2] q=0.5 -> [3] d [0,0,1,0]
nanquantile f64[2]=[nan,nan] q=0.25 -> [nan]
searchsorted f64[4]=[1,2,2,5] f64[2,3]=[0,2,9,nan,5,1] -> [0,1,4,4,3,0]
searchsorted f64[4]=[1,2,2,5] f64[6]=[0,2,9,nan,5,1] right -> [0,3,4,4,4,1]
searchsorted i32[2,3]=[1,2,3,4,5,6] i32[2,2]=[2,9,4,0] out_int32 -> [1,3,0,0]
searchsorted f32[3,B] f32[3,2]
searchsorted f64[0]=[] f64[2]=[1,2] -> [0,0]
bucketize f64[2,2]=[0,2,9,5] f64[4]=[1,2,2,5] -> [0,1,4,3]
bucketize f32[B,3] f32[7] right
bucketize f64[]=[3] f64[1]=[3] right -> [1]
