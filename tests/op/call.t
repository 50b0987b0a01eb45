# Functions, and the ops that run them.

function square {"inputs": {"x": "f64[3]"}, "nodes": [{"out": "y", "op": "mul", "in": ["x", "x"]}], "outputs": {"y": "y"}}
function dense {"inputs": {"x": "f64[B,3]", "w": "f64[4,3]"}, "nodes": [{"out": "h", "op": "linear", "in": ["x", "w"]}, {"out": "y", "op": "tanh", "in": ["h"]}], "outputs": {"y": "y", "h": "h"}}
function swap {"inputs": {"a": "f64[2]", "b": "f64[2]"}, "outputs": {"b": "b", "a": "a"}}
function nested {"inputs": {"x": "f64[B,3]", "w": "f64[4,3]", "v": "f64[3,4]"}, "constants": {"c": {"type": "f64[3]", "data": [1, -2, 3]}}, "nodes": [{"out": ["t", null], "op": "call", "in": ["x", "w"], "attrs": {"function": "dense"}}, {"out": "u", "op": "linear", "in": ["t", "v"]}, {"out": "r", "op": "mul", "in": ["u", "c"]}, {"out": ["y", "h"], "op": "call", "in": ["r", "w"], "attrs": {"function": "dense"}}], "outputs": {"y": "y", "h": "h", "r": "r"}}

call f64[3]=[1,-2,0.5] function=square -> [1,4,0.25] ct [1,1,2] d [2,-4,2]
call f64[2]=[1,2] f64[2]=[3,4] function=swap -> [3,4] [1,2] ct [1,2] [3,4] d [3,4] [1,2]
call f64[B,3] f64[4,3] function=dense results(2)
call f64[B,3] f64[4,3] f64[3,4] function=nested results(3)

# a key for each part: SplittableRandom's generator, seeded by a key that was mixed
function folded {"inputs": {"k": "u64[3]", "i": "u64[3]"}, "nodes": [{"out": "f", "op": "fold_in", "in": ["k", "i"]}, {"out": "y", "op": "remainder", "in": ["f", 1000003]}], "outputs": {"y": "y"}}
fold_in u64[3]=[0,1,0] u64[3]=[0,0,1]
call u64[3]=[0,1,0] u64[3]=[0,0,1] function=folded -> [4995,91186,431482]

# carry and ys; captured values; several steps
function rnn {"inputs": {"h": "f64[B,3]", "x": "f64[B,2]", "w": "f64[3,2]", "u": "f64[3,3]"}, "nodes": [{"out": "a", "op": "linear", "in": ["x", "w"]}, {"out": "b", "op": "linear", "in": ["h", "u"]}, {"out": "s", "op": "add", "in": ["a", "b"]}, {"out": "y", "op": "tanh", "in": ["s"]}], "outputs": {"h": "y", "y": "y"}}
function decay {"inputs": {"c": "f64[2]", "k": "f64[]"}, "nodes": [{"out": "y", "op": "mul", "in": ["c", "k"]}], "outputs": {"y": "y"}}
function add {"inputs": {"s": "f64[]", "x": "f64[]"}, "nodes": [{"out": "t", "op": "add", "in": ["s", "x"]}], "outputs": {"s": "t", "t": "t"}}
function each {"inputs": {"x": "f64[3]", "k": "f64[3]"}, "nodes": [{"out": "y", "op": "mul", "in": ["x", "k"]}], "outputs": {"y": "y"}}
function fib {"inputs": {"a": "f64[]", "b": "f64[]"}, "nodes": [{"out": "c", "op": "add", "in": ["a", "b"]}], "outputs": {"a": "b", "b": "c"}}
function count {"inputs": {"i": "i64[]", "c": "f64[2]", "x": "f64[2]"}, "nodes": [{"out": "n", "op": "cast", "in": ["i"], "attrs": {"type": "f64"}}, {"out": "m", "op": "mul", "in": ["x", "n"]}, {"out": "e", "op": "mul", "in": ["m", "c"]}, {"out": "f", "op": "sin", "in": ["e"]}, {"out": "j", "op": "add", "in": ["i", 1]}], "outputs": {"i": "j", "c": "f", "n": "n"}}
function stop {"inputs": {"c": "f64[2]", "x": "f64[2]"}, "nodes": [{"out": "s", "op": "stop_gradient", "in": ["c"]}, {"out": "y", "op": "mul", "in": ["s", "x"]}], "outputs": {"c": "y"}}
function inner {"inputs": {"c": "f64[2]", "x": "f64[2]", "k": "f64[2]"}, "nodes": [{"out": "m", "op": "mul", "in": ["c", "k"]}, {"out": "y", "op": "add", "in": ["m", "x"]}, {"out": "z", "op": "tanh", "in": ["y"]}], "outputs": {"c": "z"}}
function outer {"inputs": {"c": "f64[2]", "xs": "f64[4,2]", "k": "f64[2]"}, "nodes": [{"out": "d", "op": "scan", "in": ["c", "xs", "k"], "attrs": {"function": "inner", "xs": 1}}, {"out": "e", "op": "mul", "in": ["d", "k"]}], "outputs": {"c": "e", "d": "d"}}

scan f64[]=[0] f64[4]=[1,2,3,4] function=add xs=1 -> [10] [1,3,6,10] ct [1] [1,1,1,1] d [5] [5,4,3,2]
scan f64[]=[0] f64[4]=[1,2,3,4] function=add xs=1 reverse -> [10] [10,9,7,4] ct [1] [1,1,1,1] d [5] [2,3,4,5]
scan f64[2]=[1,-2] f64[]=[3] function=decay length=3 -> [27,-54] ct [1,1] d [27,27] [-27]
scan f64[]=[0] f64[]=[1] function=fib carry=2 length=10 -> [55] [89] ct [1] [0] d [34] [55]
scan f64[2,3]=[1,2,3,4,5,6] f64[3]=[1,10,100] function=each carry=0 xs=1 -> [1,20,300,4,50,600] ct [1,1,1,1,1,1] d [1,10,100,1,10,100] [5,7,9]
scan f64[2]=[1,2] f64[2,2]=[3,4,5,6] function=stop xs=1 -> [15,48] ct [1,1] d [0,0] [0,0,3,8]
scan f64[B,3] f64[5,B,2] f64[3,2] f64[3,3] function=rnn xs=1 results(2)
scan f64[B,3] f64[B,B,2] f64[3,2] f64[3,3] function=rnn xs=1 reverse results(2)
scan f64[2] f64[] function=decay length="B"
scan f64[3,3] f64[3] function=each carry=0 xs=1
scan i64[] in(1,2) f64[2] f64[4,2] function=count carry=2 xs=1 results(3)
scan f64[2] f64[3,4,2] f64[2] function=outer xs=1 results(2)
