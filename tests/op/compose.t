# Composites of views, selection, contraction and statistics.

# ---- views
transpose f32[2,3,4] dim0=0 dim1=-1
transpose f32[B,3] dim0=0 dim1=1
transpose i32[2,3]=[1,2,3,4,5,6] dim0=1 dim1=0 -> [1,4,2,5,3,6]
transpose f64[] dim0=0 dim1=-1
squeeze f32[1,3,1]
squeeze f32[1,3,1] dim=0
squeeze f32[B,1,3] dim=[0,1]
squeeze f32[] dim=0
unsqueeze f32[2,3] dim=1
unsqueeze f32[B,3] dim=-1
unsqueeze f64[] dim=0
stack f32[2,3] f32[2,3] f32[2,3]
stack f32[B,3] f32[B,3] dim=-1
stack f64[]=[1] f64[]=[2] -> [1,2]
stack i32[2]=[1,2] i32[2]=[3,4] dim=1 -> [1,3,2,4]
split f32[5,3] split_size_or_sections=2 results(3)
split f32[3,6] split_size_or_sections=[1,3,2] dim=1 results(3)
split f32[B,6] split_size_or_sections=3 dim=-1 results(2)
split f32[4*B,2] split_size_or_sections=["B","3*B"] results(2)
split i32[3]=[1,2,3] split_size_or_sections=2 results(2) -> [1,2] [3]
split f64[2]=[1,2] split_size_or_sections=2 results(1) -> [1,2]
split f64[2]=[1,2] split_size_or_sections=[0,2] results(2) -> [] [1,2]

# ---- selection
index_select f32[4,3] i64[5] in(0,3) dim=0
index_select f32[3,4] i64[2] in(0,3) dim=-1
index_select f32[B,4,2] i64[3] in(0,3) dim=1
index_select f64[3]=[1,2,3] i32[4]=[2,0,2,2] dim=0 -> [3,1,3,3] d [1,0,3]
embedding i64[2,3] in(0,4) f32[5,4]
embedding i64[B] in(0,4) f32[5,3]
embedding i64[] in(0,4) f32[5,3]
embedding i64[4]=[2,0,2,1] f64[3,1]=[10,20,30] padding_idx=2 -> [30,10,30,20] d _ [1,1,0]
embedding i32[4]=[2,0,2,1] f64[3,1]=[10,20,30] padding_idx=-1 -> [30,10,30,20] d _ [1,1,0]
embedding u8[2]=[1,1] f64[3,2]=[1,2,3,4,5,6] -> [3,4,3,4] d _ [0,0,2,2,0,0]
take_along_dim f32[3,4] i64[3,2] in(0,3) dim=1
take_along_dim f32[3,4] i64[1,2] in(0,3) dim=1
take_along_dim f32[1,4] i64[3,2] in(0,3) dim=-1
take_along_dim f32[B,4] i64[B,1] in(0,3) dim=1
take_along_dim f64[2,2]=[1,2,3,4] i64[3]=[3,0,3] -> [4,1,4] d [1,0,0,2]
one_hot i64[3]=[0,2,1] num_classes=3 -> [1,0,0,0,0,1,0,1,0]
one_hot i32[2]=[5,1] num_classes=2 -> [0,0,0,1]
zeros_like f32[2,3]
zeros_like i32[2]=[5,6] -> [0,0]
ones_like f32[B,3]
ones_like f32[2]=[5,6] type=i64 -> [1,1]
tril f32[3,4]
tril f32[2,3,3] diagonal=-1
tril f32[B,B]
tril f64[2,3]=[1,nan,inf,4,5,6] -> [1,0,0,4,5,0] d [1,0,0,1,1,0]
tril i32[2,3]=[1,2,3,4,5,6] diagonal=1 -> [1,2,0,4,5,6]
triu f32[3,4] diagonal=1
triu f32[B,3]
triu i32[2,3]=[1,2,3,4,5,6] -> [1,2,3,0,5,6]
triu bool[2,2]=[1,1,1,1] diagonal=1 -> [0,1,0,0]

# ---- contraction
matmul f32[3,4] f32[4,2]
matmul f32[4] f32[4]
matmul f32[3,4] f32[4]
matmul f32[4] f32[4,3]
matmul f32[2,3,4] f32[4,2]
matmul f32[2,3,4] f32[4]
matmul f32[4] f32[2,4,3]
matmul f32[2,1,3,4] f32[5,4,2]
matmul f32[B,2,3,4] f32[B,2,4,3]
matmul f32[1,3,4] f32[2,4,1]
matmul f32[1,1,3] f32[1,3,1]
matmul f32[3,0] f32[0,2]
matmul i64[2,2]=[1,2,3,4] i64[2]=[5,6] -> [17,39]
bmm f32[2,3,4] f32[2,4,3]
bmm f32[B,1,3] f32[B,3,2]
bmm f64[1,1,2]=[3,4] f64[1,2,1]=[5,6] -> [39] d [5,6] [3,4]
linear f32[3,4] f32[2,4]
linear f32[3,4] f32[2,4] f32[2]
linear f32[B,2,4] f32[3,4] f32[3]
linear f32[4] f32[3,4] f32[3]
linear f32[3,4] f32[4] f32[]
linear f64[1,2]=[3,4] f64[1,2]=[5,6] f64[1]=[7] -> [46] d [5,6] [3,4] [1]
outer f32[3] f32[4]
outer f32[B] f32[2]
outer i32[2]=[1,2] i32[2]=[3,4] -> [3,4,6,8]
einsum f32[3,4] f32[4,2] equation=ij,jk->ik
einsum f32[3,4] f32[4,2] equation=ij,jk
einsum f32[3,4] equation=ij->ji
einsum f32[3,4] equation=ij->
einsum f32[3,4] equation=ba
einsum f32[3,4] f32[3,4] equation=ij,ij->ij
einsum f32[3,4] f32[3,4] equation=ij,ij->i
einsum f32[3] f32[4] equation=i,j->ji
einsum f32[2,3,4] f32[2,5,4] equation=bij,bkj->bik
einsum f32[2,3] f32[3,4] f32[4,2] equation=ij,jk,kl->il
einsum f32[3] f32[3] f32[3] equation=i,i,i->
einsum f32[3] f32[2] f32[2,3] equation=i,j,ji->
einsum f32[5,2,3,4] f32[2,4,3] equation=...ij,...jk->...ik
einsum f32[2,3] f32[4] equation=...i,j->...ij
einsum f32[2,3] f32[2,3] equation=...i,...i
einsum f32[2,3,4] equation=...ij->ij
einsum f32[1,4] f32[3,4] equation=ij,ij->i
einsum f32[1,4] f32[3,1] equation=ij,ij->j
einsum f32[B,3] f32[B,3] equation=bi,bj->ij
einsum f32[B,2,3] f32[4,2,3] equation=bhd,ohd->bo
einsum f32[3,3] equation=ii
einsum f32[3,2,3] equation=iji->ji
einsum f32[B,3,3] f32[3] equation=bii,i->b
einsum i32[2,2]=[1,2,3,4] equation=ij->j -> [4,6]

# ---- statistics
mean f32[3,4]
mean f32[3,4] dim=0
mean f32[2,3,4] dim=[0,-1] keepdim
mean f32[B,3] dim=0
mean f64[4]=[1,2,3,6] -> [3] d [0.25,0.25,0.25,0.25]
mean f64[0] -> [nan]
mean f64[] dim=0
var f32[3,4]
var f32[3,4] dim=1
var f32[2,3,4] dim=[0,2] correction=0 keepdim
var f32[B,3] dim=0 correction=0
var f32[3,4] dim=0 correction=0.5
var f64[1]=[5] -> [nan]
var f64[2]=[5,5] -> [0] d [0,0]
std f32[3,4]
std f32[3,4] dim=1 keepdim
std f32[B,3] dim=0 correction=0
std f64[2]=[5,5] correction=0 -> [0] d [0,0]
std f64[2]=[1,3] correction=0 -> [1] d [-0.5,0.5]
logsumexp f32[3,4]
logsumexp f32[3,4] dim=1
logsumexp f32[2,3,4] dim=[0,2] keepdim
logsumexp f32[B,3] dim=0
logsumexp f64[2]=[1000,1000] dim=0 -> [1000.6931471805599] d [0.5,0.5]
logsumexp f64[2]=[-1000,-1000] dim=0 -> [-999.3068528194401] d [0.5,0.5]
logsumexp f64[2,2]=[-inf,-inf,0,-inf] dim=1 -> [-inf,0] d [0,0,1,0]
logsumexp f64[2]=[inf,0] dim=0 -> [inf]
norm f32[3,4]
norm f32[3,4] dim=1
norm f32[2,3,4] dim=[0,2] keepdim
norm f32[B,3] dim=0
norm f32[3,4] in(0.1,1) p=1
norm f32[3,4] in(0.1,1) p=3 dim=0
norm f32[3,4] in(-1,-0.1) p=1.5 dim=0
norm f32[3,4] in(0.1,1) p=-1 dim=0
norm f32[3,4] p=inf dim=1
norm f32[3,4] p=-inf dim=1
norm f32[3,4] in(0.1,1) p=0 dim=1
norm f64[3]=[3,0,-4] -> [5] d [0.6,0,-0.8]
norm f64[2]=[0,0] -> [0] d [0,0]
norm f64[3]=[3,0,-4] p=1 -> [7] d [1,0,-1]
norm f64[3]=[3,0,-4] p=0 -> [2] d [0,0,0]
norm f64[3]=[4,0,-4] p=inf -> [4] d [0.5,0,-0.5]
norm f64[3]=[3,1,-4] p=-inf -> [1] d [0,1,0]
norm f64[2]=[0,0] p=3 -> [0] d [0,0]
norm f64[2]=[0,0] p=1.5 -> [0] d [0,0]
norm f64[2]=[0,1] p=1.5 -> [1] d [0,1]
