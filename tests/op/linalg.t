# Dense linear algebra. Matrices are diagonally dominant or triangular where random ones would be nearly singular.

solve_triangular f64[3,3] in(1,2) f64[3,2] upper=false
solve_triangular f64[3,3] in(1,2) f64[3,2] upper=true
solve_triangular f32[3,3] f32[3,2] upper=true unitriangular
solve_triangular f64[2,1,3,3] in(1,2) f64[B,3,2] upper=false
solve_triangular f64[3,3] in(1,2) f64[2,3] upper=true left=false
solve_triangular f64[3,3] f64[B,3] upper=false left=false unitriangular
solve_triangular f64[2,2]=[2,nan,1,4] f64[2,1]=[2,9] upper=false -> [1,2] d [-0.375,0,-0.25,-0.5] [0.375,0.25]
solve_triangular f64[1,1]=[0] f64[1,1]=[1] upper=true -> [inf]
solve f64[3,3] f64[3,2]
solve f64[3,3] in(-1,1) f64[3]
solve f64[2,3,3] f64[2,3]
solve f32[B,2,2] f32[2,1]
solve f64[2,2] f64[3,1,2,2]
solve f64[2,2]=[0,2,4,0] f64[2]=[2,8] -> [2,1]
solve f64[3,3] f64[3,2] adjoint
solve f64[2,3,3] in(-3,3) f64[3] adjoint
solve f64[2,2]=[0,2,4,0] f64[2]=[2,8] adjoint -> [4,0.5]
solve f64[2,2]=[1,1,1,1] f64[2]=[1,2] -> [-inf,inf]
inverse f64[3,3]
inverse f32[B,2,2] in(-3,3)
inv f64[2,2]=[0,2,4,0] -> [0,0.25,0.5,0]
det f64[3,3]
det f64[B,2,2]
det f64[1,1]
det f64[3,3]=[0,2,1,1,0,3,4,5,0] -> [29] ct [1] d [-15,12,5,5,-4,8,6,1,-2]
det f64[2,2]=[1,2,2,4] -> [0]
slogdet f64[3,3]
slogdet f64[2,B,B]
slogdet f64[2,2]=[0,2,4,0] -> [-1] [2.0794415416798357] ct [1] [1] d [0,0.5,0.25,0]
slogdet f64[2,2]=[1,2,2,4] -> [0] [-inf]
logdet f64[2,2]=[2,0,0,4] -> [2.0794415416798357] d [0.5,0,0,0.25]
logdet f64[2,2]=[0,2,4,0] -> [nan]
logdet f64[3,3] in(1,2)
cholesky f64[1,1] in(1,2)
cholesky f64[B,1,1] in(1,2) upper
cholesky f64[2,2]=[4,2,2,5] upper -> [2,1,0,2]
cholesky f64[3,3]=[4,2,2,2,5,3,2,3,6] -> [2,0,0,1,2,0,1,1,2] ct [1,0,0,2,3,0,4,5,6]
cholesky f64[2,2]=[1,2,2,1] -> [1,0,2,nan]
det f64[0,0] -> [1]
det f64[2,0,0] -> [1,1]
slogdet f64[0,0] -> [1] [0]
inverse f64[0,0] -> []
solve f64[0,0] f64[0,2] -> []
solve f64[2,0,0] f64[0] -> []
cholesky f64[0,0] -> []
solve_triangular f64[0,0] f64[0,2] upper=true -> []
