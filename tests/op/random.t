# Random masks, histograms, distances of all pairs, searches.

feature_dropout f32[2,3,4] u64[]=[7] stream=1
feature_dropout f64[B,4] u64[]=[7] p=0.2 training=true
feature_dropout f64[1,1,2]=[1,nan] u64[]=[7] p=0 -> [1,nan] d [1,1]
feature_dropout f64[1,2]=[1,2] u64[]=[7] training=false -> [1,2] d [1,1]
feature_dropout f64[1,1,2]=[3,nan] u64[]=[7] p=1 -> [0,0] d [0,0]
alpha_dropout f32[3,4] u64[]=[7] stream=1
alpha_dropout f64[B,4] u64[]=[7] p=0.2 training=true
alpha_dropout f64[2]=[1,nan] u64[]=[7] p=1 -> [0,0] d [0,0]
alpha_dropout f64[2]=[1,2] u64[]=[7] training=false -> [1,2] d [1,1]
feature_alpha_dropout f32[2,3,4] u64[]=[7]
feature_alpha_dropout f64[B,4] u64[]=[7] p=0.2 training=true
feature_alpha_dropout f64[1,2]=[1,2] u64[]=[7] p=0 -> [1,2] d [1,1]
rrelu f32[3,4] in(-2,-0.1) u64[]=[7] stream=3
rrelu f32[B,4] in(0.1,2) u64[]=[7]
rrelu f64[4]=[-2,3,nan,-0] u64[]=[7] lower=0.25 upper=0.75 training=false -> [-1,3,nan,-0] d [0.5,1,1,0.5]
rrelu f64[3]=[-2,3,nan] u64[]=[7] lower=0.5 upper=0.5 -> [-1,3,nan] d [0.5,1,1]
histc f64[6]=[0,1,1.5,2,4,-1] bins=4 min=0 max=4 -> [1,2,1,1] d [0,0,0,0,0,0]
histc f64[4]=[1,3,2,nan] bins=2 min=1 max=3 -> [1,2]
histc f64[2,2]=[1,1,1,1] bins=4 -> [0,0,4,0]
histc f32[B,3] bins=5
histc f64[0] bins=2 -> [0,0]
cdist f32[3,4] f32[2,4]
cdist f32[2,3,4] f32[B,1,2,4] p=1
cdist f32[3,4] f32[2,4] p=3
cdist f64[1,2]=[1,2] f64[2,2]=[1,2,4,6] -> [0,5] d [-0.6,-0.8] [0,0,0.6,0.8]
cdist f64[1,2]=[1,2] f64[1,2]=[4,-2] p=inf -> [4] d [0,1] [0,-1]
index_reduce f32[3,2] i64[2] in(0,2) f32[2,2] dim=0 reduce=mean
index_reduce f32[B,3] i32[2]=[2,0] f32[B,2] dim=1 reduce=prod include_self=false
index_reduce f64[3]=[1,2,3] i64[3]=[0,0,2] f64[3]=[5,-6,1] dim=0 reduce=amax -> [5,2,3] d [0,1,1] _ [1,0,0]
index_reduce f64[3]=[1,2,3] i64[3]=[0,0,2] f64[3]=[5,-6,1] dim=0 reduce=amin include_self=false -> [-6,2,1] d [0,1,0] _ [0,1,1]
index_reduce i32[2]=[1,2] i64[2]=[1,1] i32[2]=[3,6] dim=0 reduce=mean -> [1,3]
searchsorted f64[3]=[1,2,3] f64[3]=[2,0,4] side=right -> [2,0,3]
searchsorted f64[3]=[1,2,3] f64[3]=[2,0,4] side=left -> [1,0,3]
searchsorted f64[3]=[3,1,2] f64[3]=[2,0,4] i64[3]=[1,2,0] -> [1,0,3]
