namespace Gateway.Tenancy;

// Bodies as the OpenAPI document shows them; they are read by JsonBody.

/// <param name="Name">At most 200 characters.</param>
internal sealed record NameBody(string Name);

/// <param name="Level">1 member, 8 admin, 15 owner.</param>
internal sealed record LevelBody(int Level);

/// <param name="TargetEmail">Whom the link is for.</param>
/// <param name="Level">1 member (else), 8 admin, 15 owner.</param>
internal sealed record InviteBody(string TargetEmail, int? Level);

/// <param name="Name">At most 200 characters.</param>
/// <param name="ApiToken">One that apps in the field have already.</param>
/// <param name="Timezone">An IANA name.</param>
/// <param name="AnonymizeIps">Whether no client's address is kept.</param>
/// <param name="AllowedOrigins">Origins whose pages may send events; none: all.</param>
/// <param name="DefaultAccess">none or member.</param>
/// <param name="EventsPerSecond">At each gateway, at most; 0: any number.</param>
/// <param name="BytesPerSecond">Of events' text, inflated, at each gateway, at most; 0: any number.</param>
internal sealed record NewProjectBody(
    string Name, string? ApiToken, string? Timezone, bool? AnonymizeIps, IReadOnlyList<string>? AllowedOrigins,
    string? DefaultAccess, long? EventsPerSecond, long? BytesPerSecond);

/// <summary>As <see cref="NewProjectBody"/>; what is left out stays as it is.</summary>
internal sealed record ProjectBody(
    string? Name, string? Timezone, bool? AnonymizeIps, IReadOnlyList<string>? AllowedOrigins, string? DefaultAccess,
    long? EventsPerSecond, long? BytesPerSecond);

/// <param name="OrganizationId">Where it goes.</param>
internal sealed record MoveBody(Guid OrganizationId);

/// <param name="Level">none, member or admin.</param>
internal sealed record ProjectLevelBody(string Level);

/// <param name="Label">At most 40 characters.</param>
/// <param name="Scopes">At least one.</param>
/// <param name="ScopedOrganizations">Those that it is bound to.</param>
/// <param name="ScopedProjects">Those that it is bound to.</param>
internal sealed record NewKeyBody(
    string Label, IReadOnlyList<string> Scopes, IReadOnlyList<Guid>? ScopedOrganizations,
    IReadOnlyList<long>? ScopedProjects);

/// <param name="Label">At most 40 characters.</param>
internal sealed record LabelBody(string Label);
