# Sources, views, reductions, contraction, indexing.

# ---- sources
full shape=[2,2] value=0.5 -> [0.5,0.5,0.5,0.5]
full shape=["B"] value=-inf type=f64 -> [-inf,-inf,-inf]
full value=7 type=i32 -> [7]
full shape=[2] value=1 type=bool -> [1,1]
iota shape=[2,3] dim=1 -> [0,1,2,0,1,2]
iota shape=[2,"B"] dim=0 type=f32 -> [0,0,0,1,1,1]
iota shape=[3] dim=-1 type=u8 -> [0,1,2]
dim_size size="B" -> [3]
dim_size size="4*B" type=f32 -> [12]
rand u64[]=[5] shape=[3,4]
rand u64[]=[5] shape=["B"] type=f64 stream=9
randn u64[]=[5] shape=[3,5]
randn u64[]=[-1] shape=["B"] type=f64 stream=9

# ---- views
reshape f32[3,4] shape=[2,-1]
reshape f32[B,4] shape=["2*B",2]
reshape f32[2,B,3] shape=[-1,6]
reshape f64[] shape=[1,1]
reshape i32[2,3]=[1,2,3,4,5,6] shape=[3,2] -> [1,2,3,4,5,6]
reshape f32[0,3] shape=[3,0]
permute f32[2,3,4] dims=[2,0,1]
permute f32[B,3] dims=[1,0]
permute f32[2,3] dims=[-1,0]
permute i64[2,3]=[1,2,3,4,5,6] dims=[1,0] -> [1,4,2,5,3,6]
expand f32[3,1] shape=[3,4]
expand f32[4] shape=[2,3,-1]
expand f32[] shape=["B",2]
expand f32[B,1] shape=[-1,3]
expand bool[2,1]=[1,0] shape=[2,2] -> [1,1,0,0]
slice f32[5,3] dim=0 start=1 end=4
slice f32[3,7] dim=1 start=1 step=3
slice f32[3,5] dim=-1 start=-3 end=-1
slice f32[B,3] dim=1 end=2
slice f32[B,3] dim=0 end=1
slice f32[B,3] start=-1
slice f32[4*B,3] start="B" end="3*B"
slice f32[B,3] start="B"
slice f32[2,4*B] dim=1 step=4
slice f32[3*B,2] start="B" step=2 end="3*B"
slice i32[6]=[1,2,3,4,5,6] start=1 end=100 step=2 -> [2,4,6]
slice f64[4]=[1,2,3,4] start=3 end=1 -> []
slice f64[5]=[1,2,3,4,5] start=-2 -> [4,5] d [0,0,0,1,1]
flip f32[3,4] dims=[0]
flip f32[B,2] dims=0
flip f32[2,3,4] dims=[0,-1]
flip i32[3]=[1,2,3] dims=0 -> [3,2,1]
pad f32[2,3] low=[1,0] high=[0,2]
pad f32[B,3] low=[0,1] high=[0,1] value=0.5
pad f32[B,3] low=["2*B",0] high=["B",1] value=2
pad f64[2]=[1,2] low=[1] high=[2] value=-inf -> [-inf,1,2,-inf,-inf] d [1,1]
pad i32[2]=[1,2] low=[1] high=[0] value=7 -> [7,1,2]
cat f32[2,3] f32[1,3] f32[3,3]
cat f32[2,3] f32[2,1] dim=-1
cat f32[B,2] f32[B,3] dim=1
cat f32[B,2] f32[2*B,2] f32[0,2]
cat i32[2]=[1,2] i32[1]=[3] -> [1,2,3]
cat f32[0,3] f32[2,3]
window f32[2,7,3] dim=1 count=5
window f32[B,7,3] dim=1 count=4 stride=2 low=1
window f32[5,B,2] dim=0 count=6 stride=1 dilation=-2 low=-3 spacing=2 value=0.5
window f32[3,4,2] dim=1 taps=0 count=3 dilation=3 low=2 spacing=3
window f32[2,6] dim=0 taps=1 count=0
window f64[4,2]=[1,5,2,6,3,7,4,8] dim=0 count=3 stride=2 dilation=1 low=1 value=-inf -> [-inf,5,2,7,4,-inf] d [0,1,1,0,0,1,1,0]
window f64[2,2]=[1,2,3,4] dim=0 count=4 spacing=3 -> [1,0,0,0,0,4,3,0] d [1,0,1,1]
window i32[3,2]=[1,2,3,4,5,6] dim=0 count=2 low=1 value=7 -> [7,2,1,4]
window bool[3,2]=[1,0,1,1,0,1] dim=0 count=2 low=-1 value=1 -> [1,1,0,1]

pack_bits bool[2,3,24]
pack_bits bool[2,3,24] start_dim=1
pack_bits bool[B,32]
pack_bits bool[B,4,6] start_dim=1
pack_bits bool[3,8*B]
pack_bits bool[13]
pack_bits bool[B,13]
pack_bits bool[3,5,7] start_dim=0
pack_bits bool[0,8]
pack_bits bool[]=[1] start_dim=0 -> [1]
pack_bits bool[3]=[1,0,1] -> [5]
pack_bits bool[2,9]=[1,0,1,0,0,0,0,0,1,0,1,1,1,0,0,0,0,0] -> [19,0,2,3]
unpack_bits u8[3,4] in(0,255) shape=[32]
unpack_bits u8[B,2] in(0,255) shape=[13]
unpack_bits u8[B,12] in(0,255) shape=[4,24]
unpack_bits u8[3,B] in(0,255) shape=["8*B"]
unpack_bits u8[2,14] in(0,255) shape=[3,5,7]
unpack_bits u8[1]=[254] shape=[] -> [0]
unpack_bits u8[2,2]=[19,0,2,255] shape=[9] -> [1,0,1,0,0,0,0,0,1,0,1,1,1,0,1,0,1,0]

# ---- reductions
sum f32[3,4]
sum f32[3,4] dim=[0]
sum f32[2,3,4] dim=[0,2] keepdim
sum f32[B,3] dim=0
sum f32[B,3] dim=[-1] keepdim
sum f32[0,3] dim=0
sum f64[3]=[inf,1,-inf] -> [nan] d [1,1,1]
sum i8[3]=[127,127,1] -> [255]
sum bool[4]=[1,1,0,1] -> [3]
sum u64[2]=[-1,2] -> [1]
sum i64[2]=[9223372036854775807,1] -> [-9223372036854775808]
prod f32[3,4] dim=1
prod f32[2,3] in(0.5,2)
prod f32[B,3] dim=0 keepdim
prod f64[2,3]=[1,0,3,0,0,2] dim=1 -> [0,0] d [0,3,0,0,0,0]
# all zero: the second derivative of a product of two is 1
prod f32[2] in(0,0)
prod f32[3,2] in(0,0) dim=-1
prod f32[2,2,3] in(0.5,2) dim=[0,2]
# beyond 16 elements the derivative multiplies prefixes and suffixes
prod f32[3,18] in(0.7,1.4) dim=1
prod f32[2,9,B] in(0.7,1.4) dim=[0,1]
prod f32[18] in(0,0)
prod f64[18]=[2,1,1,1,1,1,1,1,1,0,1,1,1,1,1,1,1,3] -> [0] d [0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0]
prod f64[3]=[2,nan,0] -> [nan] d [nan,0,nan]
prod i32[3]=[65536,65536,2] -> [8589934592]
prod f32[0] -> [1]
amax f32[3,4]
amax f32[3,4] dim=1
amax f32[2,3,4] dim=[0,2] keepdim
amax f32[B,3] dim=0
amax f64[2,3]=[1,3,3,2,2,2] dim=1 -> [3,2] d [0,0.5,0.5,0.33333333333333331,0.33333333333333331,0.33333333333333331]
amax f64[3]=[1,nan,3] -> [nan]
amax f64[2]=[-inf,-inf] -> [-inf] d [0.5,0.5]
amax i32[3]=[-5,-2,-9] -> [-2]
amax u64[2]=[-1,1] -> [-1]
amin f32[3,4]
amin f32[3,4] dim=1 keepdim
amin f32[B,3] dim=0
amin f64[3]=[1,1,3] -> [1] d [0.5,0.5,0]
amin i32[3]=[-5,-2,-9] -> [-9]
amin u64[2]=[-1,1] -> [1]
argmax f32[3,4] dim=1
argmax f64[5]=[1,3,2,3,0] -> [1]
argmax f64[4]=[1,nan,3,nan] -> [1]
argmax i32[2,3]=[1,5,5,-1,-2,-3] dim=-1 keepdim -> [1,0]
argmin f64[5]=[1,0,2,0,3] -> [1]
argmin f64[3]=[1,nan,-inf] -> [1]
argmin u8[2,2]=[1,0,3,9] dim=0 -> [0,0]
any bool[2,3]=[0,0,1,0,0,0] dim=1 -> [1,0]
any bool[2]=[0,0] -> [0]
all bool[2,3]=[0,0,1,1,1,1] dim=1 -> [0,1]
all bool[2,3]=[0,0,1,1,1,1] keepdim -> [0]

# ---- contraction
dot f32[3,4] f32[4,2] spec=mk,kn->mn
dot f32[2,3,4] f32[2,4,3] spec=bmk,bkn->bmn
dot f32[B,3] f32[4,3] spec=bi,oi->bo
dot f32[3] f32[3] spec=i,i->
dot f32[0] f32[2] spec=a,b->ab
linear f32[3,0] f32[2,0] f32[2]
cat f32[0,3] f32[0,2] dim=1
cat f32[0,3] f32[0,3] dim=0
cat f32[2,0] f32[2,3] f32[2,0] dim=1
cat f32[2,0] f32[2,3] f32[2,0] f32[2,1] f32[2,0] dim=1
dot f32[3,0] f32[0,4] spec=mk,kn->mn
dot f32[3] f32[4] spec=i,j->ij
dot f32[2,3] f32[3,4] spec=ij,jk->ki
dot f32[2,3,4,2] f32[2,3,5,2] spec=bhqd,bhkd->bhqk
dot f32[B,3] f32[B,2] spec=bi,bj->ij
dot f32[3,4] f32[4] spec=ab,b->b
dot f32[3,B] f32[B] spec=ab,b->
dot f32[3,2] f32[2,4] spec=ab,cd->c
dot f32[3,2] f32[2,4] spec=ab,bc->ab
dot f32[] f32[2,4] spec=,ab->ba
dot f32[0,3] f32[3,2] spec=ik,kj->ij
dot i32[2,2]=[1,2,3,4] i32[2]=[5,6] spec=ij,j->i -> [17,39]
dot i8[2]=[100,100] i8[2]=[1,1] spec=i,i-> -> [-56]
dot f64[2]=[inf,1] f64[2]=[0,1] spec=i,i-> -> [nan] d [0,1] [inf,1]

# ---- indexing
gather f32[5,3] i64[4,3] in(0,4)
gather f32[3,5] i64[3,4] in(0,4) dim=1
gather f32[B,5] i64[B,2] in(0,4) dim=-1
gather f32[B,5] i64[B,1] in(0,4) dim=1
gather f32[3,B] i64[5,1] in(0,2)
gather f64[3]=[1,2,3] i64[4]=[2,0,2,2] -> [3,1,3,3] d [1,0,3]
gather i32[3]=[1,2,3] i32[2]=[1,1] -> [2,2]
scatter_add f32[5,3] i64[4,3] in(0,4) f32[4,3]
scatter_add f32[3,5] i64[3,4] in(0,4) f32[3,4] dim=1
scatter_add f32[3,2] i64[2,2] in(0,2) f32[4,3]
scatter_add f64[3]=[1,2,3] i64[4]=[2,0,2,2] f64[4]=[10,20,30,40] -> [21,2,83] d [1,1,1] _ [1,1,1,1]
scatter_add i32[2]=[1,2] i64[2]=[1,1] i32[2]=[5,2147483647] -> [1,-2147483642]

# ---- half precision: stored so, computed in f32
add f16[3,4] f16[4]
mul bf16[3,4] bf16[3,1]
exp f16[B,4]
where bool[3,4] f16[4] f16[3,4]
gt f16[3,4] f16[4]
cast f16[4]=[1,0.5,-2,65504] type=bf16 -> [1,0.5,-2,65504]
cast f32[4]=[1,70000,-1e-9,nan] type=f16 -> [1,70000,-1e-09,nan]
sum f16[3,40] dim=1
amax bf16[3,4] dim=1
mean f16[B,4]
dot f16[3,4] f16[4,2] spec=ij,jk->ik
pad f16[2,3] low=[0,1] high=[0,2] value=0.5
cat f16[2,3] f16[1,3] dim=0
gather f16[3,4] i64[2,4] in(0,2) dim=0
scatter_add f16[3,2] i64[4,2] in(0,2) f16[4,2]
cumsum f16[3,4] dim=1
iota shape=[4] type=f16 -> [0,1,2,3]
full shape=[2] value=0.1 type=bf16 -> [0.1,0.1]
softmax f16[3,4] dim=1
layer_norm bf16[3,4] bf16[4] bf16[4] normalized_shape=[4]
cross_entropy f16[3,4] i64[3] in(0,3)
gelu bf16[3,4]
linear f16[3,4] f16[2,4] f16[2]
