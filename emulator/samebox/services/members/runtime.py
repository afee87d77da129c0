"""What the members of InvokeEndpoint do; traffic/invoke.py reads them from headers."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members

MEMBERS: Mapping[str, Members] = {
    "InvokeEndpoint": members(
        acted_on("EndpointName", "Body", "ContentType", "Accept", "CustomAttributes", "SessionId", "TargetVariant"),
        # Of these, endpoints of one model and one container are refused the header by AWS too.
        acted_on("TargetModel", "TargetContainerHostname", "InferenceComponentName"),
        accepted("InferenceId", "names the invocation in what is captured"),
        accepted("EnableExplanations", "which invocations are explained, by an explainer of the configuration"),
        accepted("PrefixAwareId", "the instance, by requests that began in the same way"),
    ),
}
