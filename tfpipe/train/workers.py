"""Replicas and processes that train one model together: what each has, and what all agree on."""

import concurrent.futures

import tensorflow as tf


def one_variable(value: float | bool, dtype: tf.DType) -> tf.Variable:
    """A variable of the loop itself: there is one, not one per replica, in a scope too."""
    with concurrent.futures.ThreadPoolExecutor(1) as outside:  # a scope is that of its thread
        return outside.submit(tf.Variable, value, trainable=False, dtype=dtype).result()


def are_many(strategy: tf.distribute.Strategy) -> bool:
    """Whether there are processes beside this one."""
    extended = strategy.extended
    return bool(getattr(extended, "_in_multi_worker_mode", lambda: False)())


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the files: the only one, or the first worker."""
    return bool(strategy.extended.should_checkpoint)


def told_by_chief(strategy: tf.distribute.Strategy, number: int) -> int:
    """The chief's number, on every worker; all of them must ask at the same point."""
    if not are_many(strategy):
        return number
    own = tf.constant(number if is_chief(strategy) else 0, tf.int64)

    def total() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        first = tf.cast(context.replica_id_in_sync_group == 0, tf.int64)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, own * first)

    return int(strategy.experimental_local_results(strategy.run(total))[0])
