namespace Gateway.Core.Tenancy;

/// <summary>The family of a refusal; each has its own HTTP status.</summary>
public enum RefusalKind : byte
{
    /// <summary>Nobody, or somebody unknown: 401.</summary>
    Unauthenticated,

    /// <summary>Known, but not allowed: 403.</summary>
    Forbidden,

    /// <summary>Not there, or not the caller's; nobody learns which: 404.</summary>
    NotFound,

    /// <summary>The request is at fault; a field of it is named: 400.</summary>
    Invalid,

    /// <summary>Too often: 429.</summary>
    TooMany,
}

/// <summary>Why the control plane did not do what was asked; nothing was changed.</summary>
/// <param name="Kind">The family.</param>
/// <param name="Code">For programs, in PostHog's words.</param>
/// <param name="Detail">A sentence for people; never holds a token, a key or a password.</param>
/// <param name="Attr">The field at fault, or null.</param>
public sealed record Refusal(RefusalKind Kind, string Code, string Detail, string? Attr = null)
{
    public static Refusal Unauthenticated(string detail) =>
        new(RefusalKind.Unauthenticated, "authentication_failed", detail);

    public static Refusal Forbidden(string detail, string code = "permission_denied") =>
        new(RefusalKind.Forbidden, code, detail);

    public static Refusal NotFound(string detail = "Not found.") => new(RefusalKind.NotFound, "not_found", detail);

    public static Refusal Invalid(string attr, string detail, string code = "invalid_input") =>
        new(RefusalKind.Invalid, code, detail, attr);

    public static Refusal TooMany(string detail) => new(RefusalKind.TooMany, "throttled", detail);
}

/// <summary>What was asked for, or why not.</summary>
public readonly struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Refusal? refusal) => (_value, Refusal) = (value, refusal);

    /// <summary>Null when it was done.</summary>
    public Refusal? Refusal { get; }

    /// <summary>To be asked for only when nothing was refused.</summary>
    public T Value => Refusal is null
        ? _value!
        : throw new InvalidOperationException($"Refused: {Refusal.Detail}");

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Refusal refusal) => new(default, refusal);
}

/// <summary>The value of what has none.</summary>
public readonly record struct Done;
