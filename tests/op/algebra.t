# Composites around products.

addmm f32[2,3] f32[2,4] f32[4,3]
addmm f32[3] f32[B,4] f32[4,3] beta=0.5 alpha=2
addmm f64[] f64[2,4] f64[4,3] beta=-1
addmm f64[1,2]=[nan,1] f64[1,1]=[2] f64[1,2]=[3,4] beta=0 -> [6,8] d [0,0] [7] [2,2]
addmm i32[1,2]=[1,2] i32[1,1]=[2] i32[1,2]=[3,4] beta=2 alpha=3 -> [20,28]
addmv f32[2] f32[2,4] f32[4]
addmv f32[1] f32[B,4] f32[4] beta=0.5 alpha=2
addbmm f32[2,3] f32[5,2,4] f32[5,4,3]
addbmm f32[3] f32[B,2,4] f32[B,4,3] beta=0.5 alpha=2
baddbmm f32[5,2,3] f32[5,2,4] f32[5,4,3]
baddbmm f32[2,1] f32[B,2,4] f32[B,4,3] beta=0.5 alpha=2
addr f32[2,3] f32[2] f32[3]
addr f32[3] f32[B] f32[3] beta=0.5 alpha=2
addr i32[2,2]=[1,2,3,4] i32[2]=[1,2] i32[2]=[3,4] -> [4,6,9,12]
tensordot f32[2,3,4] f32[3,4,5]
tensordot f32[2,3] f32[4] dims=0
tensordot f32[B,3,4] f32[4,5] dims=1
tensordot f32[2,3,4] f32[4,5,2] dims_self=[0,-1] dims_other=[2,0]
tensordot i32[2,2]=[1,2,3,4] i32[2,2]=[1,0,0,1] -> [5]
inner f32[3] f32[3]
inner f32[2,3] f32[B,4,3]
inner f32[] f32[2,3]
inner i32[2]=[1,2] i32[]=[3] -> [3,6]
vecdot f32[2,3] f32[3]
vecdot f32[B,3,1] f32[3,2] dim=1
vecdot f64[3]=[1,2,3] f64[3]=[4,5,6] -> [32] d [4,5,6] [1,2,3]
cross f32[2,3] f32[3]
cross f32[3,B] f32[3,1] dim=0
cross i32[3]=[1,2,3] i32[3]=[4,5,6] -> [-3,6,-3]
cross f64[1]=[2] f64[3]=[1,0,0] -> [0,2,-2] ct [1,2,4] d [-2] [-4,6,-2]
kron f32[2,3] f32[3,2]
kron f32[B] f32[2,3]
kron f32[] f32[2]
kron i32[2]=[1,2] i32[2]=[3,4] -> [3,4,6,8]
vander f32[3] in(0.5,2)
vander f32[2,3] in(-2,-0.5) N=4 increasing
vander f32[B] in(0.5,2) N=3
vander f32[B] in(0.5,2)
vander f64[2]=[0,2] N=3 -> [0,0,1,4,2,1] d [1,5]
vander i32[3]=[1,2,-3] increasing -> [1,1,1,1,2,4,1,-3,9]
vander f64[2]=[1,2] N=0 -> []
block_diag f32[2,3] f32[2] f32[] f32[1,2]
block_diag i32[1,2]=[1,2] i32[]=[3] -> [1,2,0,0,0,3]
cov f32[3,5]
cov f32[5] correction=0
cov f32[2,B] correction=2
cov f32[1,4]
cov f64[2,2]=[1,2,3,5] correction=3 -> [inf,inf,inf,inf]
cov f64[2]=[1,2] -> [0.5]
corrcoef f32[3,5]
corrcoef f64[2,B]
corrcoef f64[2,3]=[1,2,3,6,4,2] -> [1,-1,-1,1]
corrcoef f64[4]=[1,1,1,1] -> [nan]
