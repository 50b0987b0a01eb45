#!/usr/bin/env python3
"""golden_linalg.py GRADC > golden_linalg.t: what PyTorch gives for dense linear algebra; see golden.py."""
import torch

from golden import main

A = 'f64[3,3]=[0.25,2,-1,3,0.5,1,-2,1,4]'
TWO = 'f64[2,2,2]=[1,2,3,-1,0,2,-1,0.5]'
SPD = 'f64[3,3]=[4,1,-0.5,1,3,0.25,-0.5,0.25,2]'
TRI = 'f64[3,3]=[2,0.5,-1,0.25,-1.5,1,0.75,-0.5,1]'


def triangular(upper, **more):
    return lambda a, b: torch.linalg.solve_triangular(a, b, upper=upper, **more)


ROWS = [
    (f'solve {A} f64[3,2]', torch.linalg.solve),
    (f'solve {A} f64[3]', torch.linalg.solve),
    (f'solve {TWO} f64[2,2]', torch.linalg.solve),
    (f'solve {TWO} f64[3,1,2,1]', torch.linalg.solve),
    (f'solve {A} f64[3,2] adjoint', lambda a, b: torch.linalg.solve(a.mT, b)),
    (f'solve {TWO} f64[2,2] adjoint', lambda a, b: torch.linalg.solve(a.mT, b)),
    (f'inverse {A}', torch.linalg.inv),
    (f'inverse {TWO}', torch.linalg.inv),
    (f'det {A}', torch.linalg.det),
    (f'det {TWO}', torch.linalg.det),
    (f'logdet {A}', lambda a: torch.logdet(a)),
    (f'logdet {SPD}', torch.logdet),
    (f'cholesky {SPD}', torch.linalg.cholesky),
    (f'cholesky {SPD} upper', lambda a: torch.linalg.cholesky(a, upper=True)),
    ('cholesky f64[2,2,2]=[4,2,2,5,1,0.5,0.5,1]', torch.linalg.cholesky),
    (f'solve_triangular {TRI} f64[3,2] upper=false', triangular(False)),
    (f'solve_triangular {TRI} f64[3,2] upper=true', triangular(True)),
    (f'solve_triangular {TRI} f64[2,3,1] upper=true unitriangular', triangular(True, unitriangular=True)),
    (f'solve_triangular {TRI} f64[2,3] upper=false left=false', triangular(False, left=False)),
    (f'solve_triangular {TRI} f64[2,3] upper=true left=false unitriangular',
     triangular(True, left=False, unitriangular=True)),
    (f'slogdet {A}', torch.linalg.slogdet),
    (f'slogdet {TWO}', torch.linalg.slogdet),
]

if __name__ == '__main__':
    main(ROWS)
