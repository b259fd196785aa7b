using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// The connection string of PostgreSQL, checked. Not a record, and with a text of its own: it holds a password.
/// </summary>
public sealed class PostgresOptions
{
    private const string Shape = "It should look like Host=db;Username=gateway;Password=…;Database=gateway.";

    private readonly NpgsqlConnectionStringBuilder _settings;

    private PostgresOptions(NpgsqlConnectionStringBuilder settings) => _settings = settings;

    /// <summary>Reads a connection string as Npgsql has it.</summary>
    /// <param name="text">Npgsql's keywords; host and database must be among them.</param>
    /// <param name="options">What was read.</param>
    /// <param name="error">What is wrong, without any of the text.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out PostgresOptions? options, [NotNullWhen(false)] out string? error)
    {
        options = null;
        error = Check(text, out var settings);
        if (error is not null) return false;

        options = new PostgresOptions(settings!);
        return true;
    }

    /// <summary>Where it is; never who we are there, nor the password.</summary>
    public override string ToString() => _settings.Host!.Contains(':') || _settings.Host.Contains(',')
        ? $"{_settings.Host}/{_settings.Database}"
        : $"{_settings.Host}:{_settings.Port}/{_settings.Database}";

    /// <summary>The same server with what we need of it; what is given here wins.</summary>
    internal NpgsqlConnectionStringBuilder With(string sessionOptions)
    {
        var settings = new NpgsqlConnectionStringBuilder(_settings.ConnectionString)
        {
            ApplicationName = "gateway",
            Enlist = false,
            Multiplexing = false,

            // Rows hold tokens, and errors are logged.
            IncludeErrorDetail = false,
            LogParameters = false,
        };
        settings.Options = $"{settings.Options} {sessionOptions}".TrimStart();

        // A standby may be behind, and an answer of it would be no fence.
        if (settings.Host!.Contains(',')) settings.TargetSessionAttributes = "primary";
        return settings;
    }

    private static string? Check(string text, out NpgsqlConnectionStringBuilder? settings)
    {
        settings = null;
        try
        {
            settings = new NpgsqlConnectionStringBuilder(text);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException
            or OverflowException or KeyNotFoundException)
        {
            // Its message may repeat a piece of the password.
            return "The connection string of PostgreSQL cannot be read. " + Shape;
        }

        if (string.IsNullOrWhiteSpace(settings.Host)) return "The connection string names no Host. " + Shape;
        return string.IsNullOrWhiteSpace(settings.Database)
            ? "The connection string names no Database. " + Shape
            : null;
    }
}
