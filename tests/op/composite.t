# Composites: activations, losses, normalisation, attention, random masks.

# ---- activations
relu f32[3,4] in(0.1,2)
relu f32[B,4] in(-2,-0.1)
relu f64[5]=[0,-1,inf,-inf,nan] -> [0,0,inf,0,nan] d [0,0,1,0,1]
leaky_relu f32[3,4] in(0.1,2) negative_slope=0.2
leaky_relu f32[3,4] in(-2,-0.1)
leaky_relu f32[3,4] in(-2,-0.1) negative_slope=-0.5
leaky_relu f64[5]=[0,-2,inf,-inf,nan] negative_slope=0.5 -> [0,-1,inf,-inf,nan] d [0.5,0.5,1,0.5,0.5]
elu f32[3,4] in(0.1,2)
elu f32[3,4] in(-2,-0.1) alpha=1.5
elu f32[3,4] in(-2,-0.1) alpha=-0.5
elu f64[5]=[0,800,inf,-inf,nan] alpha=1.5 -> [0,800,inf,-1.5,nan] d [1.5,1,1,0,1]
gelu f32[3,4]
gelu f64[3,4] in(-8,8)
gelu f32[B,4] approximate=tanh
gelu f64[6]=[0,-0,800,inf,-inf,nan] -> [0,-0,800,inf,nan,nan] d [0.5,0.5,1,nan,nan,nan]
# PyTorch's tail cancels to 0
gelu f64[1]=[-10] -> [-7.619853024160583e-23]
gelu f64[3]=[-800,800,nan] approximate=tanh -> [-0,800,nan] d [0,1,nan]
silu f32[3,4]
silu f64[B,4] in(-9,9)
silu f64[4]=[0,800,inf,-inf] -> [0,800,inf,nan] d [0.5,1,nan,nan]
softplus f32[3,4]
softplus f32[3,4] beta=2
softplus f64[3,4] in(-9,9) beta=0.5
softplus f32[3,4] in(1.1,2) beta=2 threshold=2
softplus f64[6]=[-800,0,40,inf,-inf,nan] -> [0,0.6931471805599453,40,inf,0,nan] d [0,0.5,1,1,0,nan]
softmax f32[3,4] dim=-1
softmax f32[3,4] dim=0
softmax f32[2,B,3] dim=1
softmax f64[3] dim=0
softmax f64[] dim=0
softmax f64[2,2]=[-inf,1,800,800] dim=1 -> [0,1,0.5,0.5] d [0,0,0,0]
softmax f64[2,2]=[-inf,-inf,inf,1] dim=1 -> [nan,nan,nan,nan] d [nan,nan,nan,nan]
log_softmax f32[3,4] dim=-1
log_softmax f32[B,4] dim=0
log_softmax f64[2,3,4] dim=1
log_softmax f64[2,2]=[-inf,1,1000,1000] dim=-1 -> [-inf,0,-0.6931471805599453,-0.6931471805599453] d [1,-1,0,0]

# ---- losses
cross_entropy f32[3,4] i64[3] in(0,3)
cross_entropy f32[B,4] i32[B] in(0,3) reduction=sum
cross_entropy f32[2,4,3] u8[2,3] in(0,3) reduction=none
cross_entropy f32[4] i16[] in(0,3)
cross_entropy f32[3,4] i64[3] in(0,3) label_smoothing=0.2
cross_entropy f32[B,4] i64[B] in(0,3) ignore_index=1 label_smoothing=0.1 reduction=sum
cross_entropy f32[3,4] f32[3,4]
cross_entropy f32[2,4,B] f32[2,4,B] label_smoothing=0.3 reduction=none
cross_entropy f64[4] f64[4] in(0,1) reduction=sum
cross_entropy f64[2,2]=[1000,0,0,1000] i64[2]=[0,0] reduction=none -> [-0,1000] d [0,0,-1,1]
cross_entropy f64[2,2]=[0,0,5,7] i64[2]=[0,-100] -> [0.6931471805599453] d [-0.5,0.5,0,0]
cross_entropy f64[1,2]=[5,7] i64[1]=[-100] -> [nan]
cross_entropy f64[1,2]=[5,7] i64[1]=[-100] reduction=sum -> [0] d [0,0]
cross_entropy f64[1,2]=[-inf,1] i64[1]=[1] -> [0] d [0,0]
cross_entropy f64[1,2]=[-inf,1] i64[1]=[0] -> [inf] d [-1,1]
nll_loss f32[3,4] i64[3] in(0,3)
nll_loss f32[B,4] i32[B] in(0,3) ignore_index=2 reduction=sum
nll_loss f64[2,3,5] u8[2,5] in(0,2) reduction=none
nll_loss f64[2,2]=[-1,-2,nan,inf] i64[2]=[1,-100] -> [2] d [0,-1,0,0]
mse_loss f32[3,4] f32[3,4]
mse_loss f32[B,4] f32[B,4] reduction=sum
mse_loss f64[] f64[] reduction=none
mse_loss f64[2]=[1,2] f64[2]=[3,1] -> [2.5] d [-2,1] [2,-1]
l1_loss f32[3,4] in(0.1,2) f32[3,4] in(-2,-0.1)
l1_loss f32[B,4] in(-2,-0.1) f32[B,4] in(0.1,2) reduction=none
l1_loss f64[3]=[1,2,-1] f64[3]=[3,2,-2] reduction=sum -> [3] d [-1,0,1] [1,-0,-1]
binary_cross_entropy_with_logits f32[3,4] in(0.1,2) f32[3,4]
binary_cross_entropy_with_logits f32[B,4] in(-2,-0.1) f32[B,4] reduction=sum
binary_cross_entropy_with_logits f64[3,4] in(0.1,2) f64[3,4] f64[4] reduction=none
bce_with_logits f32[3,4] in(0.1,2) f32[3,4] reduction=none
binary_cross_entropy_with_logits f64[2]=[-800,800] f64[2]=[1,0] reduction=none -> [800,800] d [-1,1] [800,-800]
binary_cross_entropy_with_logits f64[2]=[-800,0] f64[2]=[1,1] f64[]=[3] reduction=sum -> [2402.0794415416798] d [-3,-1.5] _ [800.6931471805599]

# ---- normalisation
standardize f32[3,4]
standardize f32[3,4] dim=[0]
standardize f64[2,3,B] dim=[0,-1] eps=0.1
standardize f32[B,4] dim=1 center=false
layer_norm f32[3,4] normalized_shape=4
layer_norm f32[B,3,4] f32[3,4] normalized_shape=[3,4]
layer_norm f32[3,B] f32[B] f32[B] normalized_shape=["B"] eps=0.01
layer_norm f64[2,2]=[1,3,1e8,1e8] normalized_shape=2 eps=0 -> [-1,1,nan,nan]
layer_norm f64[2]=[100000001,100000003] normalized_shape=2 eps=0 -> [-1,1]
rms_norm f32[3,4] normalized_shape=4
rms_norm f32[B,3,4] f32[3,4] normalized_shape=[3,4] eps=0.1
rms_norm f64[2]=[3,4] normalized_shape=2 eps=0 -> [0.848528137423857,1.131370849898476]
group_norm f32[2,6,3] num_groups=3
group_norm f32[B,4] f32[4] num_groups=2 eps=0.1
group_norm f32[2,4,2,3] f32[4] f32[4] num_groups=1
batch_norm f32[3,4] f32[4] f32[4] in(0.5,2)
batch_norm f32[B,3,2] f32[3] f32[3] in(0.5,2) f32[3] momentum=0.3 training=true
batch_norm f32[2,3,2,2] f32[3] f32[3] in(0.5,2) f32[3] f32[3] training=false
batch_norm f64[2,1]=[1,3] f64[1]=[1] f64[1]=[1] f64[1]=[2] f64[1]=[5] eps=0 -> [3,7] [1.1] [1.1]

# ---- attention
scaled_dot_product_attention f32[3,4] f32[5,4] f32[5,2]
scaled_dot_product_attention f32[2,B,4] f32[2,3,4] f32[2,3,2] is_causal
scaled_dot_product_attention f64[2,2,3,4] f64[2,2,5,4] f64[2,2,5,3] f64[3,5] scale=0.7
scaled_dot_product_attention f64[2,2,3,4] f64[2,2,5,4] f64[2,2,5,3] f64[2,1,1,5]
scaled_dot_product_attention f32[2,3,4] f32[2,B,4] f32[2,B,3] bool[2,3,1]
scaled_dot_product_attention f64[2,4,3,4] f64[2,2,5,4] f64[2,1,5,3] enable_gqa
scaled_dot_product_attention f64[B,4,3,4] f64[B,2,3,4] f64[B,2,3,3] f64[4,1,3] enable_gqa
scaled_dot_product_attention f64[2,1]=[1,2] f64[2,1]=[3,4] f64[2,1]=[5,6] bool[2,2]=[0,0,1,0] -> [0,5] d [0,0] [0,0] [1,0]
scaled_dot_product_attention f64[2,1]=[1,2] f64[2,1]=[3,4] f64[2,1]=[5,6] f64[2,2]=[-inf,-inf,0,-inf] -> [0,5] d [0,0] [0,0] [1,0] [0,0,0,0]

# ---- random masks
dropout f32[3,4] u64[]=[7] stream=1
dropout f64[B,4] u64[]=[7] p=0.2 training=true
dropout f64[2]=[1,nan] u64[]=[7] p=0 -> [1,nan] d [1,1]
dropout f64[2]=[1,nan] u64[]=[7] p=1 -> [0,0] d [0,0]
dropout f64[2]=[1,2] u64[]=[7] training=false -> [1,2] d [1,1]
bernoulli f32[3,4] in(0,1) u64[]=[7]
bernoulli f64[3]=[0,1,1] u64[]=[7] -> [0,1,1] d [0,0,0]
bernoulli f32[2]=[0,0] u64[]=[7] p=1 -> [1,1]

# ---- activations in pieces, and others
threshold f32[3,4] in(0.1,2) threshold=0.05 value=20
threshold f32[3,4] in(-2,0) threshold=0.05 value=20
threshold f64[3]=[0,-0.5,nan] threshold=0 value=7 -> [7,7,nan] d [0,0,1]
hardtanh f32[3,4] in(-0.9,0.9)
hardtanh f32[3,4] in(1.1,2) min_val=-2 max_val=1
hardtanh f64[4]=[-1,1,inf,nan] -> [-1,1,1,nan] d [0,0,0,1]
relu6 f32[B,4] in(0.1,5.9)
relu6 f64[4]=[0,6,-inf,8] -> [0,6,0,6] d [0,0,0,0]
hardsigmoid f32[3,4] in(-2.9,2.9)
hardsigmoid f64[4]=[-3,3,-inf,8] -> [0,1,0,1] d [0,0,0,0]
hardswish f32[3,4] in(-2.9,2.9)
hardswish f32[3,4] in(3.1,5)
hardswish f64[4]=[-4,4,-inf,inf] -> [0,4,0,inf] d [0,1,0,1]
hardshrink f32[3,4] in(0.6,2)
hardshrink f32[3,4] in(-0.4,0.4)
hardshrink f64[4]=[-0.5,0.5,inf,nan] -> [0,0,inf,nan] d [0,0,1,1]
softshrink f32[3,4] in(-2,-0.6)
softshrink f32[3,4] in(0.4,2) lambd=0.3
softshrink f64[3]=[-0.5,0.5,inf] -> [0,0,inf] d [0,0,1]
celu f32[3,4] in(0.1,2)
celu f32[3,4] in(-2,-0.1) alpha=0.5
celu f64[3]=[0,-inf,800] alpha=2 -> [0,-2,800] d [1,0,1]
selu f32[3,4] in(0.1,2)
selu f32[3,4] in(-2,-0.1)
prelu f32[2,3,4] in(0.1,2) f32[3]
prelu f32[B,3] in(-2,-0.1) f32[3]
prelu f32[4] in(-2,-0.1) f32[1]
prelu f64[2]=[0,-1] f64[1]=[0.25] -> [0,-0.25] d [0.25,0.25] [-1]
logsigmoid f32[3,4]
logsigmoid f64[4]=[-800,0,800,nan] -> [-800,-0.6931471805599453,0,nan] d [1,0.5,0,nan]
mish f32[3,4]
mish f64[2,3] in(-9,9)
mish f64[2]=[0,800] -> [0,800] d [0.6,1]
softsign f32[3,4] in(0.1,2)
softsign f64[3]=[0,-3,1] -> [0,-0.75,0.5] d [1,0.0625,0.25]
tanhshrink f32[3,4]
softmin f32[3,4] dim=1
softmin f64[2,B] dim=0
glu f32[3,4]
glu f32[4,B] dim=0

# ---- more losses
nll_loss f32[3,4] i64[3] in(0,3) f32[4] in(0.2,2)
nll_loss f64[2,3,4] i64[2,4] in(0,2) f64[3] in(0.2,2) reduction=sum
nll_loss f64[3] i64[] in(0,2) f64[3] in(0.2,2) reduction=none
cross_entropy f32[3,4] i64[3] in(0,3) f32[4] in(0.2,2)
cross_entropy f32[B,4] i64[B] in(0,3) f32[4] in(0.2,2) label_smoothing=0.2
cross_entropy f64[2,3,4] i64[2,4] in(0,2) f64[3] in(0.2,2) reduction=none
cross_entropy f64[3,4] f64[3,4] in(0,1) f64[4] in(0.2,2) label_smoothing=0.1
binary_cross_entropy f32[3,4] in(0.1,0.9) f32[3,4] in(0.1,0.9)
binary_cross_entropy f64[B,4] in(0.1,0.9) f64[B,4] in(0.1,0.9) reduction=sum
binary_cross_entropy f64[4]=[0,1,0,1] f64[4]=[0,1,1,0] reduction=none -> [0,0,100,100]
kl_div f32[3,4] f32[3,4] in(0.1,2)
kl_div f32[B,4] f32[B,4] in(0.1,2) reduction=batchmean
kl_div f64[3,4] f64[3,4] log_target reduction=none
kl_div f64[2]=[-1,-2] f64[2]=[0,0] reduction=sum -> [0]
huber_loss f32[3,4] in(0,1) f32[3,4] in(1.1,1.5)
huber_loss f32[3,4] in(0,1) f32[3,4] in(3,4) delta=0.5
smooth_l1_loss f32[3,4] in(0,1) f32[3,4] in(1.1,1.5) beta=2
smooth_l1_loss f32[B,4] in(0,1) f32[B,4] in(3,4) reduction=sum
smooth_l1_loss f32[3] in(0,1) f32[3] in(3,4) beta=0
soft_margin_loss f32[3,4] f32[3,4]
soft_margin_loss f64[2]=[800,-800] f64[2]=[1,1] reduction=none -> [0,800]
hinge_embedding_loss f32[3]=[0.5,0.2,3] f32[3]=[1,-1,-1] reduction=none -> [0.5,0.8,0]
hinge_embedding_loss f32[3,4] in(0.1,0.5) f32[3,4] in(2,3)
margin_ranking_loss f32[3,4] in(0,1) f32[3,4] in(2,3) f32[3,4] in(0.5,1)
margin_ranking_loss f32[B,4] in(0,1) f32[B,4] in(2,3) f32[B,4] in(0.5,1) margin=0.3 reduction=sum
poisson_nll_loss f32[3,4] f32[3,4] in(0.1,3)
poisson_nll_loss f32[3,4] in(0.5,3) f32[3,4] in(1.2,3) log_input=false full
gaussian_nll_loss f32[3,4] f32[3,4] f32[3,4] in(0.2,2)
gaussian_nll_loss f32[B,4] f32[B,4] f32[B] in(0.2,2) full
gaussian_nll_loss f64[3,4] f64[3,4] f64[3,1] in(0.2,2) reduction=sum
multi_margin_loss f64[2,3]=[0.1,0.7,0.4,2,0.3,0.1] i64[2]=[1,0] reduction=none -> [0.3666666666666667,0]
multi_margin_loss f32[3,4] in(0,0.5) i64[3] in(0,3)
multi_margin_loss f32[4] in(0,0.5) i64[] in(0,3) p=2 margin=2
multilabel_soft_margin_loss f32[3,4] f32[3,4] in(0,1)
multilabel_soft_margin_loss f64[4] f64[4] in(0,1) reduction=sum
multilabel_margin_loss f64[4]=[0.1,0.2,0.4,0.8] i64[4]=[3,0,-1,1] -> [0.85]
multilabel_margin_loss f32[2,3] in(0,0.3) i64[2,3]=[0,-1,1,2,1,-1]
triplet_margin_loss f32[3,4] in(0,1) f32[3,4] in(2,3) f32[3,4] in(1,1.5)
triplet_margin_loss f64[B,4] in(0,1) f64[B,4] in(2,3) f64[B,4] in(1,1.5) p=1 swap margin=2 reduction=sum
triplet_margin_loss f64[] in(0.1,0.4) f64[2,3] in(0.5,0.9) f64[] in(1,1.5) margin=2
cosine_embedding_loss f64[2,2]=[1,0,1,0] f64[2,2]=[0,1,1,0] f64[2]=[1,-1] reduction=none -> [1,0.999999999999]
cosine_embedding_loss f32[3,4] f32[3,4] f32[3] in(2,3)
normalize f32[3,4] in(0.1,2)
normalize f64[2,B,3] in(0.1,2) p=1 dim=-1
normalize f64[2]=[0,0] dim=0 -> [0,0]
cosine_similarity f32[3,4] in(0.1,2) f32[3,4] in(-2,-0.1)
cosine_similarity f64[2,3,2] in(0.1,2) f64[3,2] in(0.1,2) dim=-1
cosine_similarity f64[] in(0.1,2) f64[] in(0.1,2) dim=0
normalize f64[] in(0.1,2) dim=-1
pairwise_distance f32[3,4] in(0.1,2) f32[3,4] in(-2,-0.1)
pairwise_distance f64[B,4] in(0.1,2) f64[4] in(-2,-0.1) p=1 keepdim
# ---- convolutions
convolution f32[2,2,5] f32[3,2,2] count=4
convolution f32[2,4,5,4] f32[4,2,3,2] groups=2 stride=[2,1] dilation=[1,2] low=[1,2] count=[3,4]
convolution f32[B,2,3,4] f32[3,2,2,2] stride=1 spacing=[2,3] dilation=[-1,-2] low=[-1,-2] count=[5,6]
convolution f32[1,2,3,2,3] f32[2,2,2,1,2] count=[2,2,2] low=[0,0,1]
convolution f32[1,4,3,2,3] f32[2,2,2,1,2] groups=2 count=[2,2,2] low=[0,0,1]
convolution f32[2,3,4,4] f32[3,1,2,2] groups=3 count=3
convolution f32[2,3,4] f32[6,1,2] groups=3 count=3
convolution i32[1,1,3]=[1,2,3] i32[1,1,2]=[10,1] count=2 -> [12,23]
convolution_weight f32[2,2,5] f32[2,3,4] size=2
convolution_weight f32[B,4,5,4] f32[B,4,3,4] groups=2 stride=[2,1] dilation=[1,2] low=[1,2] size=[3,2]
convolution_weight f32[2,3,4] f32[2,6,3] groups=3 size=2
conv1d f32[2,2,5] f32[3,2,2] f32[3]
conv1d f32[B,2,5] f32[4,1,2] f32[4] groups=2 stride=2 padding=[1,0]
conv1d f32[2,5] f32[3,2,2] dilation=2
conv2d f32[B,3,4,5] f32[2,3,3,2] f32[2] padding=[1,0] stride=[1,2]
conv2d f32[2,4,4,4] f32[2,2,3,3] groups=2 padding=[1,0,2,1] dilation=[1,2]
conv2d f32[2,3,4,4] f32[3,1,3,3] f32[3] groups=3 padding=1
conv3d f32[1,2,3,3,3] f32[2,2,2,2,2] f32[2] stride=[1,2,1] padding=[0,1,0]
conv3d f32[1,4,2,3,2] f32[4,2,2,2,1] groups=2
conv3d f32[1,2,2,3,2] f32[2,1,2,2,1] groups=2
conv_transpose1d f32[2,2,4] f32[2,3,2] f32[3] stride=2 padding=1 output_padding=1
conv_transpose1d f32[2,4] f32[2,3,3] dilation=2
conv_transpose2d f32[B,4,2,3] f32[4,2,3,2] f32[4] groups=2 stride=[2,1] padding=[1,0] dilation=[1,2]
conv_transpose3d f32[1,2,2,1,2] f32[2,1,2,2,2] stride=[1,2,2]

# ---- pooling
max_pool1d f32[2,2,7] kernel_size=3
max_pool1d f32[2,7] kernel_size=2 stride=3 padding=1 dilation=2
max_pool2d f32[B,2,4,6] kernel_size=2
max_pool2d f32[2,5,6] kernel_size=[3,2] stride=[2,1] padding=[1,0] ceil_mode
max_pool3d f32[1,2,4,3,4] kernel_size=2 stride=[2,1,2]
max_pool2d_with_indices f32[B,2,4,5] kernel_size=3 stride=2 padding=1
max_pool1d_with_indices f32[2,5] kernel_size=2 stride=1
max_pool3d_with_indices f32[2,3,2,4] kernel_size=2 padding=1
avg_pool1d f32[2,2,7] kernel_size=3 padding=1
avg_pool1d f32[2,7] kernel_size=3 stride=2 ceil_mode
avg_pool2d f32[B,2,4,6] kernel_size=2
avg_pool2d f32[2,5,6] kernel_size=[3,2] stride=[2,3] padding=[1,0] count_include_pad=false ceil_mode
avg_pool2d f32[2,5,5] kernel_size=3 stride=2 divisor_override=5
avg_pool3d f32[1,2,4,3,4] kernel_size=2 stride=[2,1,2] padding=1
lp_pool1d f32[2,2,7] in(0.5,2) kernel_size=3 norm_type=2
lp_pool2d f32[B,2,4,5] in(0.5,2) kernel_size=[2,3] stride=2 norm_type=3 ceil_mode
lp_pool3d f32[2,4,2,2] in(0.5,2) kernel_size=2 norm_type=1.5
adaptive_avg_pool1d f32[2,2,6] output_size=3
adaptive_avg_pool1d f32[2,7] output_size=3
adaptive_avg_pool2d f32[B,2,4,5] output_size=[1,3]
adaptive_avg_pool2d f32[2,4,6] output_size=1
adaptive_avg_pool3d f32[1,2,4,3,5] output_size=2
adaptive_max_pool1d f32[2,2,6] output_size=3
adaptive_max_pool1d f32[2,7] output_size=3
adaptive_max_pool2d f32[B,2,4,5] output_size=[2,3]
adaptive_max_pool3d f64[2,4,3,5] output_size=2
adaptive_max_pool1d_with_indices f32[2,7] output_size=3
adaptive_max_pool2d_with_indices f32[B,2,4,5] output_size=[2,3]
adaptive_max_pool3d_with_indices f32[1,2,2,2,4] output_size=2
max_unpool1d f32[2,3] i64[2,3]=[1,2,6,0,3,4] output_size=7
max_unpool2d f32[1,2,1,2] i32[1,2,1,2]=[1,5,0,3] output_size=[2,3]
max_unpool3d f32[1,2,1,2] i64[1,2,1,2]=[1,5,0,3] output_size=[2,3,1]
unfold f32[B,2,4,5] kernel_size=[2,3] stride=[2,1] padding=1 dilation=[2,1]
unfold f32[2,4,4] kernel_size=2 stride=2
fold f32[B,12,4] output_size=[3,4] kernel_size=[2,3] padding=[0,1] stride=[1,2]
fold f32[8,4] output_size=4 kernel_size=2 stride=2

# ---- padding, sizes of images
roll f32[2,3] shifts=4
roll f32[3,2,4] shifts=[1,-1] dims=[0,-1]
roll i32[4]=[1,2,3,4] shifts=1 -> [4,1,2,3]
pad_reflect f32[B,4,5] low=[0,2,1] high=[0,3,0]
pad_replicate f32[B,2,3] low=[0,2,1] high=[0,0,4]
pad_circular f32[B,2,3] low=[0,2,1] high=[0,1,3]
pad_circular i32[3]=[1,2,3] low=2 high=1 -> [2,3,1,2,3,1]
interpolate f32[B,2,3] size=7
interpolate f32[2,1,3,2] scale_factor=2
interpolate f32[2,1,3,4] size=[5,2] mode="nearest-exact"
interpolate f32[2,1,4,6] size=[2,4] mode=area
interpolate f32[B,1,4] size=7 mode=linear
interpolate f32[B,2,3,4] scale_factor=1.7 mode=bilinear
interpolate f32[2,1,3,4] size=[6,2] mode=bilinear align_corners
interpolate f32[2,1,3,4] size=[6,5] mode=bicubic
interpolate f32[2,1,3,4] size=[6,3] mode=bicubic align_corners
interpolate f32[1,1,2,3,2] size=[3,4,4] mode=trilinear
pixel_shuffle f32[B,8,2,3] upscale_factor=2
pixel_unshuffle f32[B,2,4,6] downscale_factor=2
channel_shuffle f32[B,6,2] groups=3
instance_norm f32[B,2,3,2]
instance_norm f64[2,3,4] f64[3] f64[3] eps=0.1
local_response_norm f32[B,5,2] size=3 alpha=0.5
local_response_norm f32[2,4,2,2] size=4 beta=0.5 k=2
