"""What the members of requests to STS and IAM do, where permissions are not evaluated."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members

_PERMISSIONS = "narrows permissions; here they are not evaluated"
_TRUST = "a condition of the role's trust policy; here every role may be assumed"
_TAGS = "tags of the session, for policies; here permissions are not evaluated"
_DEVICE = "multi-factor authentication; here there are no devices"

STS: Mapping[str, Members] = {
    "GetCallerIdentity": (),
    "AssumeRole": members(
        acted_on("RoleArn", "RoleSessionName", "DurationSeconds"),
        accepted("PolicyArns", _PERMISSIONS),
        accepted("Policy", _PERMISSIONS),
        accepted("Tags", _TAGS),
        accepted("TransitiveTagKeys", _TAGS),
        accepted("ExternalId", _TRUST),
        accepted("SerialNumber", _DEVICE),
        accepted("TokenCode", _DEVICE),
        accepted("SourceIdentity", "who is behind the session, in logs and policies"),
        accepted("ProvidedContexts", "context of an identity provider, for policies"),
        accepted("MinimumSessionTokenSize", "pads the session token"),
    ),
    "GetSessionToken": members(
        acted_on("DurationSeconds"),
        accepted("SerialNumber", _DEVICE),
        accepted("TokenCode", _DEVICE),
        accepted("MinimumSessionTokenSize", "pads the session token"),
    ),
}

IAM: Mapping[str, Members] = {
    "GetRole": acted_on("RoleName"),
    "SimulatePrincipalPolicy": members(
        acted_on("PolicySourceArn", "ActionNames", "ResourceArns", "MaxItems", "Marker"),
        *(
            accepted(member, "decides what is allowed; here everything is")
            for member in (
                *("PolicyInputList", "PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy"),
                *("ResourceOwner", "CallerArn", "ContextEntries", "ResourceHandlingOption"),
            )
        ),
    ),
}
