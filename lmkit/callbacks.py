"""Training callbacks."""

import time

import keras


class EpochReport(keras.callbacks.Callback):
    """Prints one plain line an epoch: metrics, seconds, time left.

    While an epoch runs, a dot appears for each tenth of it, so a long one is seen to
    move. Nothing is ever overwritten: the output stores cleanly in a notebook.
    Use it with `verbose=0`.

    Args:
        clock: a function that gives the time in seconds.

    Example:
        >>> history = model.fit(ids, labels, epochs=2, verbose=0, callbacks=[EpochReport()])
        epoch 1/2 .......... loss 0.6931  accuracy 0.5000  3.1 s, 3 s left
        epoch 2/2 .......... loss 0.5212  accuracy 0.7580  2.6 s
    """

    _DOTS = 10

    def __init__(self, clock=time.perf_counter):
        super().__init__()
        self._clock = clock

    def on_train_begin(self, logs=None):
        """Starts the clock."""
        self._started = self._clock()
        self._first_epoch = None

    def on_epoch_begin(self, epoch, logs=None):
        """Opens the line."""
        if self._first_epoch is None:
            self._first_epoch = epoch  # not 0 when fit(initial_epoch=...) goes on
        self._epoch_started = self._clock()
        self._dots = 0
        print(f"epoch {epoch + 1}/{self.params['epochs']} ", end="", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        """Adds the dots that have become due."""
        steps = self.params.get("steps")
        if steps:  # unknown in the first epoch over a generator
            self._print_dots(self._DOTS * (batch + 1) // steps)

    def on_epoch_end(self, epoch, logs=None):
        """Closes the line."""
        now = self._clock()
        if self.params.get("steps"):
            self._print_dots(self._DOTS)
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        line = f" {metrics}  {now - self._epoch_started:.1f} s"
        done = epoch + 1 - self._first_epoch
        left = (now - self._started) / done * (self.params["epochs"] - epoch - 1)
        print(line + (f", {left:.0f} s left" if left else ""), flush=True)

    def _print_dots(self, due):
        print("." * (due - self._dots), end="", flush=True)
        self._dots = due
