using System.Globalization;
using System.Net;

namespace Gateway.Hosting;

/// <summary>
/// Reads keys of one configuration section, remembers which exist, and collects every error, so that a start says
/// all that is wrong at once.
/// </summary>
internal sealed class OptionsReader(IConfigurationSection section)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _errors = [];

    public IReadOnlyList<string> Errors => _errors;

    public void Fail(string error) => _errors.Add(error);

    public string? Text(string key)
    {
        _known.Add(key);
        string? value = section[key];
        return string.IsNullOrWhiteSpace(value) ? null : value;
    }

    public bool Flag(string key, bool standard = false)
    {
        if (Text(key) is not { } text) return standard;
        if (bool.TryParse(text, out bool value)) return value;

        Fail($"{section.Path}:{key} is '{text}'; it must be true or false.");
        return false;
    }

    public long Number(string key, long standard, long least, long most) =>
        OptionalNumber(key, least, most) ?? standard;

    public long? OptionalNumber(string key, long least, long most)
    {
        if (Text(key) is not { } text) return null;
        bool isNumber = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        if (isNumber && value >= least && value <= most) return value;

        Fail($"{section.Path}:{key} is '{text}'; it must be a whole number from {least} to {most}.");
        return null;
    }

    /// <summary>An array in JSON, or one text with commas.</summary>
    public IEnumerable<string> List(string key)
    {
        const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        return (Text(key)?.Split(',', Clean) ?? [])
            .Concat(section.GetSection(key).GetChildren().Select(child => Text($"{key}:{child.Key}") ?? ""));
    }

    /// <summary>A list of addresses and networks: an array in JSON, or one text with commas.</summary>
    public IReadOnlyList<IPNetwork> Networks(string key)
    {
        var networks = new List<IPNetwork>();
        foreach (string text in List(key))
        {
            if (IPNetwork.TryParse(text, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(text, out var address)) networks.Add(Only(address));
            else Fail($"{section.Path}:{key} holds '{text}'; it must be an address or a network such as 10.0.0.0/8.");
        }

        return networks;
    }

    public void RefuseUnknownKeys()
    {
        foreach (var (path, value) in section.AsEnumerable(makePathsRelative: true))
        {
            if (value is null || _known.Contains(path)) continue;

            string known = string.Join(", ", _known.Order());
            Fail($"{section.Path}:{path} is not a setting of this gateway. Known: {known}.");
        }
    }

    private static IPNetwork Only(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
}
