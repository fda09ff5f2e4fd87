"""What Keras 3 has no public name for: gradients, compiled functions, random state."""

import operator

import keras
from keras import ops


def value_and_gradients(function, *tensors):
    """Computes a scalar function and its gradient with respect to every argument.

    Args:
        function: takes the tensors and returns one number.
        *tensors: float arrays or tensors of any shape.

    Returns:
        The value, and a list with one gradient per tensor, each of its tensor's shape.

    Raises: TypeError if a tensor holds no floats, ValueError for more than one number.

    Example:
        >>> value, (gradient,) = value_and_gradients(lambda x: ops.sum(x * x), [1.0, 3.0])
        >>> float(value), [float(g) for g in gradient]
        (10.0, [2.0, 6.0])
    """
    tensors = [ops.convert_to_tensor(tensor) for tensor in tensors]
    for number, tensor in enumerate(tensors):
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if "float" not in dtype:
            raise TypeError(f"tensor {number} must hold floats to have a gradient, got {dtype}")
    value, gradients = _GRADIENTS[keras.backend.backend()](_scalar(function), tensors)
    return value, list(gradients)


def compile_function(function, variables):
    """Makes a faster form of a function of tensors, compiled once per combination of shapes.

    Args:
        function: takes and returns (nested structures of) tensors or NumPy arrays.
        variables: the Keras variables that it reads, each with its value of the moment.

    Example:
        >>> weight = keras.Variable([1.0, 2.0])
        >>> float(compile_function(lambda x: x * weight[1], [weight])(3.0))
        6.0
    """
    return _COMPILERS[keras.backend.backend()](function, list(variables))


def compiled_for(model, name, function):
    """Returns a model's compiled function, the one from last time if there is one.

    Args:
        model: any object; its `variables`, if it has some, are what the function reads.
        name: which function it is: its name and every setting that is built into it.
        function: what `compile_function` takes.

    Returns:
        The compiled function. Training changes what it answers; new variables, as after
        `quantize` or `enable_lora`, have it compiled again.

    Example:
        >>> layer = keras.layers.Dense(1, kernel_initializer="ones")
        >>> layer.build((None, 2))
        >>> float(compiled_for(layer, "call", layer.call)(ops.ones((1, 2)))[0, 0])
        2.0
    """
    # In the instance's dictionary, because Keras would track (and save) an attribute. The
    # cycle of model and function is the garbage collector's; a table here would leak models.
    kept = vars(model).setdefault("_lmkit_compiled", {})
    variables = list(getattr(model, "variables", ()))
    before, compiled = kept.get(name, ([], None))
    same = len(before) == len(variables) and all(map(operator.is_, before, variables))
    if compiled is None or not same:
        compiled = compile_function(function, variables)
        kept[name] = variables, compiled
    return compiled


def random_state():
    """Reads the random state that the backend holds outside of Keras's variables.

    Returns:
        A list of NumPy arrays: on PyTorch one for the CPU and one per GPU, else empty.

    Example:
        >>> set_random_state(random_state())
    """
    # PyTorch's dropout draws from it. TensorFlow and JAX draw only with one of Keras's seeds,
    # which are variables of the model.
    if keras.backend.backend() != "torch":
        return []
    import torch

    return [state.numpy() for state in (torch.get_rng_state(), *torch.cuda.get_rng_state_all())]


def set_random_state(state):
    """Puts back what `random_state` returned.

    Args:
        state: the list.

    Example:
        >>> state = random_state()
        >>> set_random_state(state)
    """
    if keras.backend.backend() != "torch":
        return
    import torch

    # A copy, because PyTorch warns of arrays that cannot be written, as a file's may be.
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

    # PyTorch runs operations one by one; without gradients it keeps no intermediate results.
    @torch.no_grad()
    def with_tensors(*arguments):
        return function(*keras.tree.map_structure(ops.convert_to_tensor, arguments))

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
        tape.watch(tensors)  # arguments are constants, which a tape ignores by itself
        value = function(*tensors)
    gradients = tape.gradient(value, tensors, unconnected_gradients="zero")
    # A table that was looked up has a sparse gradient, with a row for each id.
    return value, [tf.convert_to_tensor(gradient) for gradient in gradients]


def _jax(function, tensors):
    import jax

    return jax.value_and_grad(function, argnums=tuple(range(len(tensors))))(*tensors)


def _torch(function, tensors):
    import torch

    tensors = [tensor.detach().requires_grad_() for tensor in tensors]
    value = function(*tensors)
    # An argument that the function ignores has gradient zero, as on the other backends.
    return value.detach(), torch.autograd.grad(value, tensors, materialize_grads=True)


_GRADIENTS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
_COMPILERS = {
    "tensorflow": _compile_tensorflow,
    "jax": _compile_jax,
    "torch": _compile_torch,
}
