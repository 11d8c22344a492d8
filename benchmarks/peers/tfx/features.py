# pyright: basic, reportMissingImports=false, reportArgumentType=false
"""What TFX's Transform and Trainer do: the features and the network of the other side."""

import tensorflow as tf
import tensorflow_transform as tft
import tf_keras as keras
from tfx_bsl.public import tfxio

INTEGERS = ["month", "day", "weekday", "hour", "minute", "arrival_hour"]
STRINGS = ["carrier", "origin", "dest"]
LABEL = "late"
BATCH = 1024


def preprocessing_fn(inputs):  # noqa: ANN001, ANN201 - TFX finds it by its name
    """Index the categories, scale the distance."""
    outputs = {"distance": tft.scale_to_z_score(_dense(inputs["distance"], 0.0))}
    for name in INTEGERS + STRINGS:
        values = _dense(inputs[name], "" if name in STRINGS else 0)
        outputs[name] = tft.compute_and_apply_vocabulary(values, num_oov_buckets=1, vocab_filename=name)
    return {**outputs, LABEL: _dense(inputs[LABEL], 0)}


def run_fn(fn_args):  # noqa: ANN001, ANN201 - TFX finds it by its name
    """Train the steps that were asked for and export with the transform inside."""
    keras.utils.set_random_seed(7)
    graph = tft.TFTransformOutput(fn_args.transform_output)
    model = _build(graph, fn_args.train_steps)
    model.fit(
        _rows(fn_args, fn_args.train_files, graph), steps_per_epoch=fn_args.train_steps, verbose=2,
        validation_data=_rows(fn_args, fn_args.eval_files, graph), validation_steps=fn_args.eval_steps,
    )  # fmt: skip
    model.transform = graph.transform_features_layer()
    raw = {name: spec for name, spec in graph.raw_feature_spec().items() if name != LABEL}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(examples):  # noqa: ANN001, ANN202 - a signature
        features = model.transform(tf.io.parse_example(examples, raw))
        return {"outputs": model({name: features[name] for name in ["distance", *INTEGERS, *STRINGS]})}

    model.save(fn_args.serving_model_dir, save_format="tf", signatures={"serving_default": serve})


def _dense(values, missing):  # noqa: ANN001, ANN202
    if isinstance(values, tf.sparse.SparseTensor):
        column = tf.SparseTensor(values.indices, values.values, [values.dense_shape[0], 1])
        values = tf.sparse.to_dense(column, missing)
    return tf.reshape(values, [-1])


def _rows(fn_args, files, graph):  # noqa: ANN001, ANN202
    options = tfxio.TensorFlowDatasetOptions(batch_size=BATCH, label_key=LABEL)
    schema = graph.transformed_metadata.schema
    return fn_args.data_accessor.tf_dataset_factory(files, options, schema).prefetch(tf.data.AUTOTUNE)


def _build(graph, steps):  # noqa: ANN001, ANN202
    inputs = {name: keras.Input((), name=name, dtype=tf.int64) for name in INTEGERS + STRINGS}
    parts = [
        keras.layers.Embedding(graph.vocabulary_size_by_name(name) + 1, 16)(value)
        for name, value in inputs.items()
    ]
    inputs["distance"] = keras.Input((), name="distance")
    hidden = keras.layers.Concatenate()([*parts, keras.layers.Reshape((1,))(inputs["distance"])])
    for _ in range(2):
        hidden = keras.layers.Dense(128, activation="relu", kernel_initializer="he_normal")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
    rate = keras.optimizers.schedules.CosineDecay(4e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", steps_per_execution=32)
    return model
