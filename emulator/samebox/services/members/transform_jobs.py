"""What the members of CreateTransformJob and StopTransformJob do."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, below, members, refused

_INPUT = members(
    acted_on("DataSource.S3DataSource.S3Uri"),
    refused("DataSource.S3DataSource.S3DataType", "S3Prefix", "ManifestFile"),
    acted_on("ContentType", "CompressionType", "SplitType"),
)

_CREATE = members(
    acted_on("TransformJobName", "ModelName", "MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy"),
    acted_on("ModelClientConfig.InvocationsTimeoutInSeconds", "ModelClientConfig.InvocationsMaxRetries"),
    acted_on("Environment", "Tags"),
    below("TransformInput", _INPUT),
    acted_on("TransformOutput.S3OutputPath", "TransformOutput.Accept", "TransformOutput.AssembleWith"),
    accepted("TransformOutput.KmsKeyId", "encryption of what is stored"),
    acted_on("DataCaptureConfig.DestinationS3Uri", "DataCaptureConfig.GenerateInferenceId"),
    accepted("DataCaptureConfig.KmsKeyId", "encryption of what is captured"),
    acted_on("TransformResources.InstanceType", "TransformResources.InstanceCount"),
    accepted("TransformResources.VolumeKmsKeyId", "encryption of the volume"),
    accepted("TransformResources.TransformAmiVersion", "the drivers of the host"),
    acted_on("DataProcessing.InputFilter", "DataProcessing.OutputFilter", "DataProcessing.JoinSource"),
    accepted("ExperimentConfig", "the trial and the run that the job is noted in"),
)

MEMBERS: Mapping[str, Members] = {
    "CreateTransformJob": _CREATE,
    "StopTransformJob": acted_on("TransformJobName"),
}
