"""What the members of requests to STS and IAM do, where permissions are not evaluated."""

from collections.abc import Mapping

from samebox.services.members.row import Members, accepted, acted_on, members, refused

_PAGE = acted_on("MaxItems", "Marker")
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
    "AssumeRoleWithWebIdentity": members(
        acted_on("RoleArn", "RoleSessionName", "WebIdentityToken", "ProviderId", "DurationSeconds"),
        accepted("PolicyArns", _PERMISSIONS),
        accepted("Policy", _PERMISSIONS),
        accepted("MinimumSessionTokenSize", "pads the session token"),
    ),
    "GetFederationToken": members(
        acted_on("Name", "DurationSeconds"),
        accepted("Policy", _PERMISSIONS),
        accepted("PolicyArns", _PERMISSIONS),
        accepted("Tags", _TAGS),
        accepted("MinimumSessionTokenSize", "pads the session token"),
    ),
    "GetAccessKeyInfo": acted_on("AccessKeyId"),
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
            accepted(member, "decides what is allowed; here everything is, unless policies are evaluated by a setting")
            for member in ("PolicyInputList", "ContextEntries")
        ),
        *(
            accepted(member, "decides what is allowed; here a role's own policies alone do, by a setting")
            for member in (
                *("PermissionsBoundaryPolicyInputList", "PolicyExclusionList", "ResourcePolicy"),
                *("ResourceOwner", "CallerArn", "ResourceHandlingOption"),
            )
        ),
    ),
    "CreateRole": members(
        acted_on("Path", "RoleName", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Tags"),
        accepted("PermissionsBoundary", _PERMISSIONS),
    ),
    "UpdateRole": acted_on("RoleName", "Description", "MaxSessionDuration"),
    "UpdateAssumeRolePolicy": acted_on("RoleName", "PolicyDocument"),
    "ListRoles": members(acted_on("PathPrefix"), _PAGE),
    "DeleteRole": acted_on("RoleName"),
    "AttachRolePolicy": acted_on("RoleName", "PolicyArn"),
    "DetachRolePolicy": acted_on("RoleName", "PolicyArn"),
    "ListAttachedRolePolicies": members(acted_on("RoleName"), _PAGE, refused("PathPrefix", "/")),
    "PutRolePolicy": acted_on("RoleName", "PolicyName", "PolicyDocument"),
    "GetRolePolicy": acted_on("RoleName", "PolicyName"),
    "DeleteRolePolicy": acted_on("RoleName", "PolicyName"),
    "ListRolePolicies": members(acted_on("RoleName"), _PAGE),
    "TagRole": acted_on("RoleName", "Tags"),
    "UntagRole": acted_on("RoleName", "TagKeys"),
    "ListRoleTags": members(acted_on("RoleName"), _PAGE),
    "CreateInstanceProfile": acted_on("InstanceProfileName", "Path", "Tags"),
    "GetInstanceProfile": acted_on("InstanceProfileName"),
    "ListInstanceProfiles": members(acted_on("PathPrefix"), _PAGE),
    "ListInstanceProfilesForRole": members(acted_on("RoleName"), _PAGE),
    "AddRoleToInstanceProfile": acted_on("InstanceProfileName", "RoleName"),
    "RemoveRoleFromInstanceProfile": acted_on("InstanceProfileName", "RoleName"),
    "DeleteInstanceProfile": acted_on("InstanceProfileName"),
    "TagInstanceProfile": acted_on("InstanceProfileName", "Tags"),
    "UntagInstanceProfile": acted_on("InstanceProfileName", "TagKeys"),
    "ListInstanceProfileTags": members(acted_on("InstanceProfileName"), _PAGE),
    "CreatePolicy": acted_on("PolicyName", "Path", "PolicyDocument", "Description", "Tags"),
    "GetPolicy": acted_on("PolicyArn"),
    "GetPolicyVersion": acted_on("PolicyArn", "VersionId"),
    "ListPolicies": members(
        acted_on("Scope", "OnlyAttached", "PathPrefix"), _PAGE, refused("PolicyUsageFilter", "PermissionsPolicy")
    ),
    "DeletePolicy": acted_on("PolicyArn"),
}
