namespace Gateway.Engine;

/// <summary>Where the engine answers ClickHouse's HTTP interface, and as whom to ask it.</summary>
internal sealed record EngineEndpoint(Uri Url, string User, string Password)
{
    public const string Database = "default";

    /// <summary>
    /// As <c>ConnectionStrings:ClickHouse</c> has it: <c>http://user:password@host:port/database</c>.
    /// </summary>
    public string ToConnectionString() =>
        $"http://{Uri.EscapeDataString(User)}:{Uri.EscapeDataString(Password)}@{Url.Authority}/{Database}";

    /// <summary>Without the password, which a record would print: this is what ends up in logs.</summary>
    public override string ToString() => Url.ToString();
}
