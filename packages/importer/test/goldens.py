"""
Makes goldens.ndjson: small models, inputs, and what onnxruntime computes of them. Nothing in the repository needs Python; run
this only to add a case, with numpy, onnx and onnxruntime at hand: python packages/importer/test/goldens.py
"""
import base64, json, os
import numpy as np
import onnx, onnxruntime
from onnx import TensorProto as T, helper as h, numpy_helper as nh

random = np.random.default_rng(7)
f32 = np.float32
kinds = {np.dtype('float32'): (T.FLOAT, 'f32'), np.dtype('uint8'): (T.UINT8, 'u8'), np.dtype('int8'): (T.INT8, 'i8'),
         np.dtype('int32'): (T.INT32, 'i32'), np.dtype('int64'): (T.INT64, 'i64')}
cases = []


def normal(*shape, scale=1.0):
    return (random.normal(size=shape) * scale).astype(f32)


def case(name, nodes, inputs, constants={}, opset=13, samples=3, integer=False):
    """`nodes` are (op, inputs, outputs, attributes); the last one makes `y`. `inputs` are functions that draw one."""
    protos = [h.make_node(op, i, o, name=f'{op.lower()}{k}', **a) for k, (op, i, o, a) in enumerate(nodes)]
    drawn = [{k: f() for k, f in inputs.items()} for _ in range(samples)]
    graph = h.make_graph(
        protos, name,
        [h.make_tensor_value_info(k, kinds[v.dtype][0], v.shape) for k, v in drawn[0].items()],
        [h.make_empty_tensor_value_info('y')],
        [nh.from_array(v, k) for k, v in constants.items()])
    model = h.make_model(graph, opset_imports=[h.make_opsetid('', opset)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
    def packed(v):
        return {'dtype': kinds[v.dtype][1], 'shape': list(v.shape), 'data': base64.b64encode(np.ascontiguousarray(v).tobytes()).decode()}
    made = []
    for sample in drawn:
        (y,) = session.run(['y'], sample)
        made.append({'inputs': {k: packed(v) for k, v in sample.items()}, 'output': packed(np.asarray(y))})
    cases.append({'name': name, 'isInteger': integer, 'model': base64.b64encode(model.SerializeToString()).decode(), 'samples': made})


def x(*shape, scale=1.0):
    return {'x': lambda: normal(*shape, scale=scale)}


def one(op, shape, name=None, opset=13, constants={}, scale=1.0, **attributes):
    case(name or op, [(op, ['x', *constants], ['y'], attributes)], x(*shape, scale=scale), constants, opset)


# Products.
one('Gemm', (3, 20), 'Gemm', constants={'w': normal(20, 7), 'c': normal(7)})
one('Gemm', (3, 20), 'Gemm with alpha, beta, transB', constants={'w': normal(7, 20), 'c': normal(1, 7)}, alpha=-0.5, beta=2.0, transB=1)
one('Gemm', (3, 20), 'Gemm with a constant for every row', constants={'w': normal(20, 7), 'c': normal(3, 1)})
one('Gemm', (2, 9), 'Gemm without constant', constants={'w': normal(9, 4)})
one('MatMul', (2, 3, 12), constants={'w': normal(12, 5)})
case('MatMul and Add', [('MatMul', ['x', 'w'], ['p'], {}), ('Add', ['p', 'b'], ['y'], {})], x(4, 30), {'w': normal(30, 6), 'b': normal(6)})
# Entry by entry.
one('Relu', (2, 9))
one('Clip', (2, 30), constants={'low': f32(-0.5), 'high': f32(0.75)})
case('Clip without low', [('Clip', ['x', '', 'high'], ['y'], {})], x(2, 30), {'high': f32(0.75)})
one('Clip', (2, 30), 'Clip by attributes', opset=7, min=-0.25, max=1.0)
for op in ['Sigmoid', 'Tanh']: one(op, (2, 40), scale=2)
one('LeakyRelu', (2, 40), alpha=0.2)
one('HardSigmoid', (2, 40), scale=3)
one('HardSwish', (2, 40), opset=14, scale=3)
one('Gelu', (2, 40), opset=20)
for op in ['Add', 'Sub', 'Mul']: one(op, (2, 5), f'{op} a number', constants={'c': f32(0.7)})
one('Div', (2, 3, 4, 4), 'Div by channel', constants={'c': np.abs(normal(1, 3, 1, 1)) + f32(0.5)})
one('Mul', (2, 3, 4, 4), 'Mul by channel, one of them zero', constants={'c': np.array([-1.5, 0, 2], f32).reshape(3, 1, 1)})
one('Sub', (2, 3, 4, 4), 'Sub by channel', constants={'c': normal(3, 1, 1)})
one('Add', (2, 3, 4), 'Add a tensor', constants={'c': normal(3, 4)})
case('a number less a value', [('Sub', ['c', 'x'], ['y'], {})], x(2, 6), {'c': f32(1)})
two = {'x': lambda: normal(2, 3, 5, 5), 'z': lambda: normal(2, 3, 5, 5, scale=0.3)}
for op in ['Add', 'Sub', 'Mul']: case(f'{op} of two values', [(op, ['x', 'z'], ['y'], {})], two)
case('Mul by a value for each channel', [('GlobalAveragePool', ['x'], ['m'], {}), ('Sigmoid', ['m'], ['s'], {}), ('Mul', ['x', 's'], ['y'], {})], x(2, 3, 5, 5))
# Convolutions.
w = normal(6, 4, 3, 3, scale=0.3)
one('Conv', (2, 4, 9, 8), constants={'w': w, 'b': normal(6)}, pads=[1, 1, 1, 1])
one('Conv', (1, 4, 9, 8), 'Conv with strides and uneven pads', constants={'w': w}, pads=[0, 2, 1, 1], strides=[2, 3])
one('Conv', (1, 4, 9, 8), 'Conv in groups', constants={'w': normal(6, 2, 3, 2), 'b': normal(6)}, group=2)
one('Conv', (1, 4, 11, 12), 'Conv by channel, dilated', constants={'w': normal(4, 1, 3, 3)}, group=4, dilations=[2, 3], pads=[2, 3, 2, 3])
for auto in ['SAME_UPPER', 'SAME_LOWER', 'VALID']:
    one('Conv', (1, 4, 9, 8), f'Conv {auto}', constants={'w': w}, auto_pad=auto, strides=[2, 2])
bn = {'gain': np.array([1, -0.5, 0, 2, 1.5, 1], f32), 'shift': normal(6), 'mean': normal(6), 'variance': np.abs(normal(6)) + f32(0.1)}
case('Conv, BatchNormalization, Relu', [('Conv', ['x', 'w'], ['c'], {}), ('BatchNormalization', ['c', *bn], ['n'], {}), ('Relu', ['n'], ['y'], {})], x(2, 4, 7, 7), {'w': w, **bn})
case('BatchNormalization', [('BatchNormalization', ['x', *bn], ['y'], {'epsilon': 0.01})], x(2, 6, 3, 3), bn)
case('BatchNormalization of rows', [('BatchNormalization', ['x', *bn], ['y'], {})], x(3, 6), bn)
case('Conv, BatchNormalization, Relu, Add', [('Conv', ['x', 'w'], ['c'], {'pads': [1, 1, 1, 1]}), ('BatchNormalization', ['c', *bn], ['n'], {}), ('Relu', ['n'], ['r'], {}), ('Conv', ['x', 'w'], ['d'], {'pads': [1, 1, 1, 1]}), ('Add', ['r', 'd'], ['y'], {})], x(1, 4, 5, 5), {'w': w, **bn})
# Pooling.
one('MaxPool', (1, 3, 9, 8), kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
one('MaxPool', (1, 3, 9, 8), 'MaxPool, size rounded up', kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1)
one('MaxPool', (1, 3, 4, 4), 'MaxPool, a window beside the image left out', kernel_shape=[2, 2], strides=[4, 4], pads=[0, 0, 1, 1], ceil_mode=1)
one('MaxPool', (1, 3, 9, 8), 'MaxPool SAME_UPPER', kernel_shape=[2, 2], strides=[2, 2], auto_pad='SAME_UPPER')
one('AveragePool', (1, 3, 8, 8), kernel_shape=[2, 2], strides=[2, 2])
one('AveragePool', (1, 3, 9, 8), 'AveragePool with pads', kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
one('AveragePool', (1, 3, 9, 8), 'AveragePool, pads counted', kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
one('GlobalAveragePool', (2, 3, 7, 5))
one('GlobalMaxPool', (2, 3, 7, 5))
one('ReduceMean', (2, 3, 7, 5), axes=[2, 3], keepdims=0)
# Shapes.
one('Flatten', (2, 3, 4, 5))
one('Flatten', (2, 3, 4), 'Flatten at another axis', axis=2)
one('Reshape', (2, 3, 4), constants={'s': np.array([0, -1, 2])})
one('Transpose', (2, 3, 4), perm=[2, 0, 1])
one('Squeeze', (2, 1, 4), constants={'s': np.array([1])})
one('Unsqueeze', (2, 4), constants={'s': np.array([1, -1])})
one('Squeeze', (2, 1, 4), 'Squeeze by attribute', opset=11, axes=[1])
one('Identity', (2, 3))
case('Dropout', [('Dropout', ['x'], ['y'], {})], x(2, 5), opset=12)
one('Softmax', (3, 10), scale=2)
one('Softmax', (3, 10), 'Softmax of opset 11', opset=11)
one('Softmax', (2, 5, 1), 'Softmax of opset 11 along axis 1', opset=11)
one('Softmax', (1, 5, 3, 3), 'Softmax over channels', axis=1)
def apart(*shape):
    # No two of them are nearer than bytes can tell.
    return {'x': lambda: (random.permutation(int(np.prod(shape))).reshape(shape) * 0.25 - 2).astype(f32)}
case('ArgMax', [('ArgMax', ['x'], ['y'], {'axis': 1, 'keepdims': 0})], apart(3, 10))
case('ArgMax over channels', [('ArgMax', ['x'], ['y'], {'axis': 1})], apart(1, 5, 3, 3))
# Several layers.
case('channels joined', [('Conv', ['x', 'w'], ['a'], {'pads': [1, 1, 1, 1]}), ('Relu', ['a'], ['r'], {}), ('MaxPool', ['x'], ['m'], {'kernel_shape': [3, 3], 'pads': [1, 1, 1, 1]}), ('Concat', ['r', 'm'], ['y'], {'axis': 1})], x(1, 4, 6, 6), {'w': w})
case('rows joined', [('Gemm', ['x', 'w'], ['a'], {}), ('Sigmoid', ['a'], ['s'], {}), ('Concat', ['a', 's'], ['y'], {'axis': 0})], x(2, 8), {'w': normal(8, 5)})
u = normal(4, 4, 3, 3, scale=0.2)
case('a residual block', [('Conv', ['x', 'u', 'b'], ['a'], {'pads': [1, 1, 1, 1]}), ('Relu', ['a'], ['r'], {}), ('Conv', ['r', 'u'], ['c'], {'pads': [1, 1, 1, 1]}), ('Add', ['c', 'x'], ['s'], {}), ('Relu', ['s'], ['y'], {})], x(1, 4, 6, 6), {'u': u, 'b': normal(4)})
case('an image classified', [('Conv', ['x', 'w', 'b'], ['c'], {'pads': [1, 1, 1, 1]}), ('Relu', ['c'], ['r'], {}), ('MaxPool', ['r'], ['p'], {'kernel_shape': [2, 2], 'strides': [2, 2]}), ('Flatten', ['p'], ['f'], {}), ('Gemm', ['f', 'm', 'n'], ['y'], {'transB': 1})], x(2, 4, 6, 4), {'w': w, 'b': normal(6), 'm': normal(5, 36), 'n': normal(5)})
case('an image as a row', [('Conv', ['x', 'w'], ['c'], {}), ('Flatten', ['c'], ['f'], {}), ('Sigmoid', ['f'], ['y'], {})], x(2, 4, 5, 4), {'w': w})
case('channels last outside', [('Transpose', ['x'], ['t'], {'perm': [0, 3, 1, 2]}), ('Conv', ['t', 'w'], ['c'], {}), ('Clip', ['c', 'low', 'high'], ['r'], {}), ('Transpose', ['r'], ['y'], {'perm': [0, 2, 3, 1]})], x(2, 6, 5, 4), {'w': w, 'low': f32(0), 'high': f32(2)})
case('a weight that is computed', [('Constant', [], ['k'], {'value': nh.from_array(normal(5, 20), 'k')}), ('Transpose', ['k'], ['t'], {}), ('MatMul', ['x', 't'], ['y'], {})], x(3, 20))
case('Reshape of an image into rows of channels', [('Conv', ['x', 'w'], ['c'], {}), ('Reshape', ['c', 's'], ['r'], {}), ('MatMul', ['r', 'm'], ['y'], {})], x(1, 4, 6, 6), {'w': w, 's': np.array([6, 16]), 'm': normal(16, 3)})

# Integers.
def bytes_of(kind, *shape):
    low, high = (0, 256) if kind == np.uint8 else (-128, 128)
    return lambda: random.integers(low, high, size=shape).astype(kind)
u8, i8, i32 = np.uint8, np.int8, np.int32
def weights(kind, *shape): return bytes_of(kind, *shape)()
def q(scale, zero, kind=u8): return f32(scale), kind(zero)

def integer_case(name, nodes, inputs, constants, opset=13): case(name, nodes, inputs, constants, opset, integer=True)
integer_case('ConvInteger', [('ConvInteger', ['x', 'w', 'xz', 'wz'], ['y'], {'pads': [1, 1, 1, 1], 'strides': [2, 1]})], {'x': bytes_of(u8, 1, 4, 6, 7)}, {'w': weights(u8, 5, 4, 3, 3), 'xz': u8(121), 'wz': u8(90)}, 10)
integer_case('ConvInteger without zero points', [('ConvInteger', ['x', 'w'], ['y'], {'group': 2})], {'x': bytes_of(u8, 1, 4, 6, 7)}, {'w': weights(u8, 6, 2, 3, 3)}, 10)
integer_case('MatMulInteger', [('MatMulInteger', ['x', 'w', 'xz', 'wz'], ['y'], {})], {'x': bytes_of(u8, 3, 40)}, {'w': weights(i8, 40, 6), 'xz': u8(13), 'wz': i8(-7)}, 10)
integer_case('MatMulInteger by column', [('MatMulInteger', ['x', 'w', 'xz', 'wz'], ['y'], {})], {'x': bytes_of(i8, 3, 40)}, {'w': weights(i8, 40, 6), 'xz': i8(-100), 'wz': weights(i8, 6)}, 10)
integer_case('MatMulInteger and Add', [('MatMulInteger', ['x', 'w'], ['p'], {}), ('Add', ['p', 'b'], ['y'], {})], {'x': bytes_of(u8, 3, 20)}, {'w': weights(u8, 20, 6), 'b': np.arange(6, dtype=i32) * 1000 - 3000})
scale_x, zero_x = q(0.02, 113)
scale_y, zero_y = q(0.11, 98)
per_channel = (np.abs(normal(6)) * f32(0.004) + f32(0.002)).astype(f32)
common = {'xs': scale_x, 'xz': zero_x, 'ys': scale_y, 'yz': zero_y}
order = ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz']
integer_case('QLinearConv', [('QLinearConv', [*order, 'b'], ['y'], {'pads': [1, 1, 1, 1]})], {'x': bytes_of(u8, 2, 4, 6, 7)}, {**common, 'w': weights(i8, 6, 4, 3, 3), 'ws': per_channel, 'wz': np.zeros(6, i8), 'b': np.arange(6, dtype=i32) * 700})
integer_case('QLinearConv of u8 weights', [('QLinearConv', order, ['y'], {'strides': [2, 2]})], {'x': bytes_of(u8, 1, 4, 7, 7)}, {**common, 'w': weights(u8, 6, 4, 3, 3), 'ws': f32(0.003), 'wz': u8(131)})
integer_case('QLinearConv, signed', [('QLinearConv', order, ['y'], {'group': 4})], {'x': bytes_of(i8, 1, 4, 7, 7)}, {**common, 'xz': i8(-9), 'yz': i8(5), 'w': weights(i8, 4, 1, 3, 3), 'ws': f32(0.01), 'wz': i8(0)})
integer_case('QLinearMatMul', [('QLinearMatMul', order, ['y'], {})], {'x': bytes_of(u8, 5, 60)}, {**common, 'w': weights(i8, 60, 7), 'ws': f32(0.004), 'wz': i8(3)})

def quantized(name, middle, shape, opset=13, constants={}, target=(0.05, 110), source=(0.02, 113)):
    """Q and DQ around nodes that read `x1` and make `y0`."""
    sx, zx = q(*source)
    sy, zy = q(*target)
    nodes = [('DequantizeLinear', ['x', 'xs', 'xz'], ['x1'], {}), *middle, ('QuantizeLinear', ['y0', 'ys', 'yz'], ['y'], {})]
    integer_case(name, nodes, {'x': bytes_of(u8, *shape)}, {'xs': sx, 'xz': zx, 'ys': sy, 'yz': zy, **constants}, opset)

dq_weights = [('DequantizeLinear', ['w', 'ws', 'wz'], ['w1'], {'axis': 0}), ('DequantizeLinear', ['b', 'bs', 'bz'], ['b1'], {'axis': 0})]
conv_weights = {'w': weights(i8, 6, 4, 3, 3), 'ws': per_channel, 'wz': np.zeros(6, i8), 'b': (np.arange(6, dtype=i32) - 2) * 900, 'bs': per_channel * scale_x, 'bz': np.zeros(6, i32)}
quantized('QDQ Conv', [*dq_weights, ('Conv', ['x1', 'w1', 'b1'], ['y0'], {'pads': [1, 1, 1, 1]})], (1, 4, 6, 6), constants=conv_weights, target=(0.11, 98))
quantized('QDQ Conv, Relu', [*dq_weights, ('Conv', ['x1', 'w1', 'b1'], ['c'], {'pads': [0, 1, 0, 1], 'strides': [2, 2]}), ('Relu', ['c'], ['y0'], {})], (1, 4, 7, 6), constants=conv_weights, target=(0.06, 0))
quantized('QDQ Conv, Clip', [*dq_weights, ('Conv', ['x1', 'w1', 'b1'], ['c'], {}), ('Clip', ['c', 'low', 'high'], ['y0'], {})], (1, 4, 7, 6), constants={**conv_weights, 'low': f32(0), 'high': f32(6)}, target=(0.06, 20))
gemm_weights = {'w': weights(i8, 7, 30), 'ws': f32(0.004), 'wz': i8(0), 'b': np.arange(7, dtype=i32) * 300, 'bs': f32(0.004) * scale_x, 'bz': i32(0)}
dq_gemm = [('DequantizeLinear', ['w', 'ws', 'wz'], ['w1'], {}), ('DequantizeLinear', ['b', 'bs', 'bz'], ['b1'], {})]
quantized('QDQ Gemm', [*dq_gemm, ('Gemm', ['x1', 'w1', 'b1'], ['y0'], {'transB': 1})], (4, 30), constants=gemm_weights)
quantized('QDQ MatMul of transposed weights', [*dq_gemm, ('Transpose', ['w1'], ['wt'], {'perm': [1, 0]}), ('MatMul', ['x1', 'wt'], ['m'], {}), ('Add', ['m', 'b1'], ['y0'], {})], (4, 30), constants=gemm_weights)
quantized('QDQ MaxPool', [('MaxPool', ['x1'], ['y0'], {'kernel_shape': [2, 2], 'strides': [2, 2]})], (1, 3, 6, 6), target=(0.02, 113))
quantized('QDQ AveragePool', [('AveragePool', ['x1'], ['y0'], {'kernel_shape': [3, 3], 'strides': [2, 2]})], (1, 3, 7, 7), target=(0.013, 120))
quantized('QDQ GlobalAveragePool', [('GlobalAveragePool', ['x1'], ['y0'], {})], (2, 3, 7, 7), target=(0.003, 120))
quantized('QDQ Sigmoid', [('Sigmoid', ['x1'], ['y0'], {})], (2, 60), target=(1 / 256, 0))
quantized('QDQ Tanh', [('Tanh', ['x1'], ['y0'], {})], (2, 60), target=(1 / 128, 128))
quantized('QDQ to another scale', [('Relu', ['x1'], ['y0'], {})], (2, 60), target=(0.0137, 11))
quantized('QDQ Flatten', [('Flatten', ['x1'], ['y0'], {})], (2, 3, 4, 5), target=(0.02, 113))
quantized('QDQ Softmax', [('Softmax', ['x1'], ['y0'], {})], (3, 20), target=(1 / 255, 0))
other = {'zs': f32(0.031), 'zz': u8(77)}
two_bytes = {'x': bytes_of(u8, 2, 3, 4, 4), 'z': bytes_of(u8, 2, 3, 4, 4)}
both = [('DequantizeLinear', ['x', 'xs', 'xz'], ['x1'], {}), ('DequantizeLinear', ['z', 'zs', 'zz'], ['z1'], {})]
end = [('QuantizeLinear', ['y0', 'ys', 'yz'], ['y'], {})]
integer_case('QDQ Add', [*both, ('Add', ['x1', 'z1'], ['y0'], {}), *end], two_bytes, {**common, **other, 'ys': f32(0.0457)})
integer_case('QDQ Mul', [*both, ('Mul', ['x1', 'z1'], ['y0'], {}), *end], two_bytes, {**common, **other, 'ys': f32(0.0457)})
integer_case('QDQ Concat', [*both, ('Concat', ['x1', 'z1'], ['y0'], {'axis': 1}), *end], two_bytes, {**common, **other, 'ys': f32(0.033)})

path = os.path.join(os.path.dirname(__file__), 'goldens.ndjson')
with open(path, 'w') as file:
    for line in [{'madeBy': f'onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}'}, *cases]:
        file.write(json.dumps(line, separators=(',', ':')) + '\n')
print(len(cases), 'cases', os.path.getsize(path), 'bytes')
