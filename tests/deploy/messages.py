"""TensorFlow Serving's messages, from the text of its .proto files, without its package.

Numbers and types of the fields are those of prediction_log.proto, predict.proto, model.proto and
model_server_config.proto; fields that are not written here are left out.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework import tensor_pb2

FIELD = descriptor_pb2.FieldDescriptorProto
TENSOR = ".tensorflow.TensorProto"
MESSAGES = {
    "PredictionLog": [("predict_log", 6, ".test.PredictLog")],
    "PredictLog": [("request", 1, ".test.PredictRequest")],
    "PredictRequest": [("model_spec", 1, ".test.ModelSpec"), ("inputs", 2, ".test.Entry", "many")],
    "Entry": [("key", 1, "string"), ("value", 2, TENSOR)],  # how a map<string, TensorProto> is sent
    "ModelSpec": [("name", 1, "string"), ("signature_name", 3, "string")],
    "ModelServerConfig": [("model_config_list", 1, ".test.ModelConfigList")],
    "ModelConfigList": [("config", 1, ".test.ModelConfig", "many")],
    "ModelConfig": [
        ("name", 1, "string"),
        ("base_path", 2, "string"),
        ("model_platform", 4, "string"),
    ],
}


def _classes():
    pool = descriptor_pool.DescriptorPool()
    tensor = tensor_pb2.DESCRIPTOR
    _add(pool, tensor)
    file = descriptor_pb2.FileDescriptorProto(
        name="test.proto", package="test", syntax="proto3", dependency=[tensor.name]
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind, *many in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = FIELD.LABEL_REPEATED if many else FIELD.LABEL_OPTIONAL
            field.type = FIELD.TYPE_STRING if kind == "string" else FIELD.TYPE_MESSAGE
            if kind != "string":
                field.type_name = kind
    pool.Add(file)
    found = {n: pool.FindMessageTypeByName(f"test.{n}") for n in MESSAGES}
    return {name: message_factory.GetMessageClass(each) for name, each in found.items()}


def _add(pool, file):
    for dependency in file.dependencies:
        _add(pool, dependency)
    pool.AddSerializedFile(file.serialized_pb)


CLASSES = _classes()
