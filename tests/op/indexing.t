# what is written by index

scatter f32[5,3] i64[4,3] in(0,4) f32[4,3]
scatter f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1
scatter f32[3,2] i64[2,2] in(0,2) f32[4,3]
scatter f32[B,5] i64[B,2] in(0,4) f32[B,2] dim=-1
scatter f64[3]=[1,2,3] i64[4]=[2,0,2,2] f64[4]=[10,20,30,40] -> [20,2,40] ct [1,2,3] d [0,2,0] _ [0,1,0,3]
scatter bool[3]=[1,1,1] i64[1]=[1] bool[1]=[0] -> [1,0,1]
scatter i32[2]=[1,2] i64[2]=[1,1] i32[2]=[5,7] -> [1,7]
scatter f64[] i64[] in(0,0) f64[]
scatter_prod f32[5,3] i64[4,3] in(0,4) f32[4,3]
scatter_prod f32[3,2] i64[2,2] in(0,2) f32[4,3]
scatter_prod f32[B,5] i64[B,2] in(0,4) f32[B,2] dim=-1
scatter_prod f64[3]=[1,2,0] i64[4]=[2,1,2,1] f64[4]=[10,0,30,4] -> [1,0,0] d [1,0,300] _ [0,8,0,0]
scatter_prod f32[2] in(0,0) i64[3]=[0,1,1] f32[3]
scatter_prod i8[2]=[3,2] i64[2]=[1,1] i8[2]=[100,2] -> [3,-112]
scatter_amax f32[5,3] i64[4,3] in(0,4) f32[4,3]
scatter_amax f32[3,2] i64[2,2] in(0,2) f32[4,3]
scatter_amax f64[3]=[1,2,3] i64[4]=[1,1,2,0] f64[4]=[2,5,3,nan] -> [nan,5,3] ct [0,3,4] d [0,0,2] _ [0,3,2,0]
scatter_amax u64[1]=[1] i64[1]=[0] u64[1]=[-1] -> [-1]
scatter_amin f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1
scatter_amin bool[2]=[1,1] i64[1]=[0] bool[1]=[0] -> [0,1]

# ---- several indices
index f32[4,3] i64[5] in(-4,3)
index f32[4,3,2] i64[5] in(-4,3) i64[5] in(-3,2)
index f32[4,3,2] i64[2,1] in(-4,3) i64[3] in(-2,1) dims=[0,2]
index f32[2,4,3] i64[2,2] in(0,3) i64[2] in(0,2) dims=[1,2]
index f32[B,4,3] i64[2] in(0,3) dims=[1]
index f32[4,B] i32[3] in(-4,3)
index f32[4] i64[]=[-1]
index i32[2,2]=[1,2,3,4] i64[2]=[0,-1] u8[2]=[1,1] -> [2,4]
index_put f32[4,3] i64[5] in(-4,3) f32[5,3]
index_put f32[4,3] i64[5] in(-4,3) f32[] accumulate
index_put f32[4,3,2] i64[2,1] in(-4,3) i64[3] in(-2,1) f32[3,1] dims=[0,2] accumulate
index_put f32[2,4,3] i64[2] in(0,3) f32[2,2,3] dims=[1]
index_put f64[3]=[1,2,3] i64[3]=[0,-1,0] f64[3]=[5,6,7] -> [7,2,6] d [0,1,0] _ [0,1,1]
index_put f64[2,2]=[1,2,3,4] i64[2]=[1,1] i64[2]=[0,0] f64[2]=[5,6] accumulate -> [1,2,14,4]
take f32[2,3] i64[2,2] in(-6,5)
take f64[2,2]=[1,2,3,4] i32[3]=[0,-1,2] -> [1,4,3] d [1,0,1,1]
put f32[2,3] i64[2,2] in(-6,5) f32[4]
put f32[2,3] i64[2,2] in(-6,5) f32[2,2] accumulate
put f64[3]=[1,2,3] i64[2]=[-1,2] f64[2]=[5,6] -> [1,2,6]

# ---- slices
index_add f32[4,3] i64[5] in(0,3) f32[5,3] dim=0
index_add f32[2,B] i64[2] in(0,0) f32[2,2] dim=1 alpha=2
index_add i32[3]=[1,2,3] i64[2]=[0,0] i32[2]=[5,6] dim=0 alpha=-1 -> [-10,2,3]
index_add f64[]=[1] i64[]=[0] f64[]=[2] dim=0 -> [3]
index_copy f32[4,3] i64[2] in(0,3) f32[2,3] dim=0
index_copy f32[3,4] i64[6] in(0,3) f32[3,6] dim=1
index_fill f32[4,3] i64[2] in(-4,3) dim=0 value=0.5
index_fill i32[3]=[1,2,3] i64[1]=[-1] dim=0 value=9 -> [1,2,9]

# ---- reductions by index
scatter_reduce f32[5,3] i64[4,3] in(0,4) f32[4,3] reduce=sum
scatter_reduce f32[5,3] i64[4,3] in(0,4) f32[4,3] reduce=sum include_self=false
scatter_reduce f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1 reduce=mean
scatter_reduce f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1 reduce=mean include_self=false
scatter_reduce f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1 reduce=prod include_self=false
scatter_reduce f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1 reduce=amax include_self=false
scatter_reduce f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1 reduce=amin
scatter_reduce i32[2]=[7,1] i64[3]=[0,0,0] i32[3]=[-1,-2,-6] reduce=mean include_self=false -> [-3,1]
scatter_reduce i32[2]=[7,1] i64[2]=[0,0] i32[2]=[-1,-2] reduce=amax include_self=false -> [-1,1]
masked_fill f32[3,4] bool[4] value=2
masked_fill f32[B,1] bool[B,3] f32[]
masked_fill i32[3]=[1,2,3] bool[3]=[1,0,1] value=-1 -> [-1,2,-1]
masked_scatter f32[3,4] bool[3,4] f32[12]
masked_scatter f64[4]=[1,2,3,4] bool[4]=[1,0,1,1] f64[5]=[5,6,7,8,9] -> [5,2,6,7] d [0,1,0,0] _ [1,1,1,0,0]
embedding_bag i64[3,4] in(0,4) f32[5,2]
embedding_bag i64[3,4] in(0,4) f32[5,2] mode=sum padding_idx=2
embedding_bag i64[3,4] in(0,4) f32[5,2] mode=max
embedding_bag i64[6] in(0,4) f32[5,2] i64[3]=[0,2,2] mode=mean
embedding_bag i64[6] in(0,4) f32[5,2] i64[4]=[0,2,2,6] f32[6] mode=sum include_last_offset
embedding_bag i64[B,3] in(0,4) f32[5,2] f32[B,3] mode=sum padding_idx=-1
embedding_bag i64[3]=[0,1,1] f64[2,1]=[5,3] i64[3]=[0,0,2] mode=max -> [0,5,3] d _ [1,1]
