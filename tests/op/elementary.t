# Pointwise ops of users' formulas, and parts of dimensions.

lerp f32[2,3] f32[3] f32[2,1]
lerp f32[B,3] f32[B,1] f32[] in(0.6,2)
lerp f64[3] f64[3] 0.25
lerp f64[3]=[1,1,nan] f64[3]=[3,inf,1] f64[3]=[1,0.25,0.5] -> [3,inf,nan] d [0,0.75,0.5] [1,0.25,0.5] [2,inf,nan]
deg2rad f32[2,3]
deg2rad f64[2]=[180,-90] -> [3.141592653589793,-1.5707963267948966] d [0.017453292519943295,0.017453292519943295]
rad2deg f32[2,3]
rad2deg f64[1]=[3.141592653589793] -> [180] d [57.29577951308232]
ldexp f32[2,3] f32[3]
ldexp f64[3]=[3,-1,0.5] f64[3]=[2,-3,1025] -> [12,-0.125,inf]
entr f32[2,3] in(0.1,3)
entr f64[6]=[0,1,-1,inf,nan,0.5] -> [0,-0,-inf,-inf,nan,0.34657359027997264] d [inf,-1,nan,-inf,nan,-0.3068528194400547]
ndtr f32[2,3]
ndtr f64[2,3] in(-6,6)
ndtr f64[5]=[0,inf,-inf,nan,-40] -> [0.5,1,0,nan,0] d [0.3989422804014327,0,0,nan,0]
log_ndtr f32[2,3]
log_ndtr f64[2,3] in(-30,-1.1)
log_ndtr f64[2,3] in(-0.9,5)
log_ndtr f64[4]=[0,inf,nan,-100] -> [-0.6931471805599453,0,nan,-5005.524208694205] d [0.7978845608028654,0,nan,100.00999800099926]
addcmul f32[2,3] f32[3] f32[2,1]
addcmul f32[B,3] f32[3] f32[B,1] value=-0.5
addcmul i32[2]=[1,2] i32[2]=[3,4] i32[1]=[5] value=2 -> [31,42]
addcdiv f32[2,3] f32[3] f32[2,1] in(0.5,2)
addcdiv f32[B,3] f32[3] f32[B,1] in(-2,-0.5) value=-0.5
addcdiv f64[1]=[1] f64[1]=[1] f64[1]=[0] -> [inf] d [1] [inf] [-inf]
nan_to_num f32[2,3]
nan_to_num f64[4]=[nan,inf,-inf,-0] -> [0,1.7976931348623157e308,-1.7976931348623157e308,-0] d [0,0,0,1]
nan_to_num f64[4]=[nan,inf,-inf,2] nan=-1 posinf=5 neginf=-7 -> [-1,5,-7,2] d [0,0,0,1]
logit f32[2,3] in(0.1,0.9)
logit f32[B,3] in(0.3,0.7) eps=0.25
logit f64[6]=[0,1,0.5,-0.5,1.5,nan] -> [-inf,inf,0,nan,nan,nan] d [inf,inf,4,nan,nan,nan]
logit f64[4]=[0,1,0.5,-1] eps=0.25 -> [-1.0986122886681098,1.0986122886681098,0,-1.0986122886681098] d [0,0,4,0]
isclose f64[4]=[1,1,inf,nan] f64[4]=[1.000001,1.1,inf,nan] -> [1,0,1,0]
isclose f64[3]=[1,nan,inf] f64[3]=[1.5,nan,1] rtol=0.5 equal_nan -> [1,1,0]
isclose i32[2]=[100,7] i32[1]=[100] atol=1 -> [1,0]
isclose bool[2]=[0,1] bool[1]=[1] -> [0,1]
isclose f32[B,3] f32[3]

narrow f32[4,3] dim=0 start=1 length=2
narrow f32[4,B] dim=0 start=-2 length=2
narrow f32[4,B] dim=-1 start=0 length=1
narrow i32[4]=[1,2,3,4] dim=0 start=-3 length=2 -> [2,3]
narrow i32[2]=[1,2] dim=0 start=2 length=0 -> []
narrow i32[2]=[1,2] dim=0 start=-1 length=0 -> []
select f32[4,3] dim=0 index=1
select f32[4,B] dim=1 index=-1
select f32[3] dim=0 index=2
select i32[2,2]=[1,2,3,4] dim=1 index=-2 -> [1,3]
chunk f32[5,3] chunks=2 results(2)
chunk f32[2,7] chunks=5 dim=-1 results(4)
chunk f32[4*B] chunks=2 results(2)
chunk i32[5]=[1,2,3,4,5] chunks=4 results(3) -> [1,2] [3,4] [5]
chunk i32[2]=[1,2] chunks=3 results(2) -> [1] [2]
flatten f32[2,3,4]
flatten f32[2,B,3,4] start_dim=1 end_dim=-2
flatten i32[]=[3] -> [3]
unflatten f32[2,12] dim=-1 sizes=[3,-1]
unflatten f32[4*B,3] dim=0 sizes=["B",2,2]
unflatten i32[2]=[1,2] dim=0 sizes=[2] -> [1,2]
