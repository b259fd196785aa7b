namespace Gateway.Engine.Chdb;

/// <summary>Values and names as ClickHouse reads them within a statement.</summary>
internal static class SqlText
{
    public static string Quote(string value) => $"'{Escape(value, '\'')}'";

    public static string QuoteName(string name) => $"`{Escape(name, '`')}`";

    private static string Escape(string text, char quote) =>
        text.Replace("\\", @"\\", StringComparison.Ordinal).Replace($"{quote}", $"\\{quote}", StringComparison.Ordinal);
}
