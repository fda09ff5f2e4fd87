"""What Keras 3 has no public name for: gradients, compiling a function, the backend's own dice."""

import keras
from keras import ops


def value_and_gradients(function, *tensors):
    """The value of a scalar function and its gradient for every argument.

    Args:
        function: takes the tensors, returns one number.
        *tensors: float arrays or tensors of any shape.

    Returns:
        The value, and a list with one gradient a tensor, of that tensor's shape.

    Raises:
        TypeError: if a tensor holds no floats, or the function returns no tensor.
        ValueError: if the function returns more than one number.

    Example:
        >>> value, (gradient,) = value_and_gradients(lambda x: ops.sum(x * x), [1.0, 3.0])
        >>> float(value), [float(g) for g in gradient]
        (10.0, [2.0, 6.0])

    Source: the automatic differentiation of TensorFlow, JAX and PyTorch.
    """
    tensors = [ops.convert_to_tensor(tensor) for tensor in tensors]
    for number, tensor in enumerate(tensors):
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if "float" not in dtype:
            raise TypeError(f"tensor {number} must hold floats to have a gradient, got {dtype}")
    value, gradients = _BACKENDS[keras.backend.backend()](_scalar(function), tensors)
    return value, list(gradients)


def compile_function(function, variables):
    """A faster form of a function that computes with `keras.ops`, compiled at its first call.

    Args:
        function: takes and returns tensors, and lists and tuples of them. It may be called
            with NumPy arrays, and gets tensors.
        variables: the Keras variables that it reads; their values of the moment are used.

    Returns:
        A function with the same arguments and results. It is compiled once for each
        combination of shapes. On PyTorch it is not compiled.

    Example:
        >>> weight = keras.Variable([1.0, 2.0])
        >>> twice = compile_function(lambda x: 2 * x * weight, [weight])
        >>> [float(number) for number in twice(ops.convert_to_tensor([3.0, 4.0]))]
        [6.0, 16.0]

    Source: XLA, through TensorFlow and JAX.
    """
    return _COMPILERS[keras.backend.backend()](function, list(variables))


def random_state():
    """The state of random numbers that the backend itself draws, seeds of Keras apart.

    PyTorch's dropout draws from it; TensorFlow and JAX draw nothing without a seed of Keras.

    Returns:
        A list of NumPy arrays: on PyTorch one for the CPU and one for each GPU, else empty.

    Example:
        >>> set_random_state(random_state())
    """
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def set_random_state(state):
    """Puts back what `random_state` returned.

    Args:
        state: the list.

    Example:
        >>> set_random_state(random_state())
    """
    if keras.backend.backend() != "torch":
        return
    import torch

    cpu, *gpus = [torch.from_numpy(array.copy()) for array in state]
    torch.set_rng_state(cpu)
    torch.cuda.set_rng_state_all(gpus)


def _compile_tensorflow(function, variables):
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def _compile_jax(function, variables):
    import jax

    def with_values(values, *arguments):
        # As arguments: what a compiled function finds elsewhere is frozen into it.
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(*arguments)

    compiled = jax.jit(with_values)
    return lambda *arguments: compiled([variable.value for variable in variables], *arguments)


def _compile_torch(function, variables):
    import torch

    @torch.no_grad()
    def with_tensors(*arguments):
        return function(*keras.tree.map_structure(keras.ops.convert_to_tensor, arguments))

    return with_tensors


def _scalar(function):
    def checked(*tensors):
        value = function(*tensors)
        if not hasattr(value, "shape"):
            raise TypeError(f"the function must return a tensor, got {type(value).__name__}")
        if tuple(value.shape) != ():
            raise ValueError(f"the function must return one number, got shape {tuple(value.shape)}")
        return value

    return checked


def _tensorflow(function, tensors):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
    return value, tape.gradient(value, tensors, unconnected_gradients="zero")


def _jax(function, tensors):
    import jax

    return jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)


def _torch(function, tensors):
    import torch

    tensors = [tensor.detach().requires_grad_() for tensor in tensors]
    value = function(*tensors)
    return value.detach(), torch.autograd.grad(value, tensors, materialize_grads=True)


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
_COMPILERS = {
    "tensorflow": _compile_tensorflow,
    "jax": _compile_jax,
    "torch": _compile_torch,
}
