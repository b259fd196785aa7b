using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>One JSON object of a request, read field by field; what is wrong is noted with its path.</summary>
internal readonly struct QueryFields
{
    private readonly JsonElement _object;

    private QueryFields(JsonElement value, string path, QueryProblems problems)
    {
        _object = value;
        Path = path;
        Problems = problems;
    }

    public string Path { get; }

    public QueryProblems Problems { get; }

    /// <summary>Opens an object; anything else is a problem, and reads as an object with no field.</summary>
    public static QueryFields Open(JsonElement value, string path, QueryProblems problems)
    {
        if (value.ValueKind != JsonValueKind.Object) problems.Add(path, "Must be an object.");
        return new(value, path, problems);
    }

    /// <summary>Refuses every field that is neither known nor one that clients send and we may leave aside.</summary>
    public void AllowOnly(ReadOnlySpan<string> known, ReadOnlySpan<string> leftAside)
    {
        if (_object.ValueKind != JsonValueKind.Object) return;

        foreach (var field in _object.EnumerateObject())
        {
            if (known.Contains(field.Name) || leftAside.Contains(field.Name)) continue;
            Problems.Add(PathOf(Shown(field.Name)), "This field is not known here.", QueryProblems.UnknownField);
        }
    }

    public string PathOf(string name) => Path.Length == 0 ? name : $"{Path}.{name}";

    /// <summary>A field's value; null in the JSON counts as absent.</summary>
    public JsonElement? Get(string name) =>
        _object.ValueKind == JsonValueKind.Object
        && _object.TryGetProperty(name, out var value)
        && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? Text(string name) => Get(name) is { } value ? Text(value, PathOf(name), Problems) : null;

    public int Integer(string name, int otherwise, int min, int max)
    {
        if (Get(name) is not { } value) return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number))
        {
            if (number >= min && number <= max) return number;
        }

        Problems.Add(PathOf(name), $"Must be a whole number from {min} to {max}.");
        return otherwise;
    }

    /// <summary>A string; a lone surrogate or too long a text is a problem.</summary>
    public static string Text(JsonElement value, string path, QueryProblems problems)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            problems.Add(path, "Must be a string.");
            return "";
        }

        string? text = TryGetString(value);
        if (text is null)
            problems.Add(path, "Is not valid Unicode.");
        else if (text.Length > QueryLimits.MaxTextLength)
            problems.Add(path, $"Must have at most {QueryLimits.MaxTextLength} characters.", QueryProblems.TooLarge);
        return text ?? "";
    }

    private static string? TryGetString(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // The only way in which System.Text.Json tells of "\ud800" with no partner.
            return null;
        }
    }

    private static string Shown(string name) => name.Length <= 100 ? name : name[..100] + "…";
}
