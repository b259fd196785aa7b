namespace Gateway.Core.ClickHouse;

/// <summary>Those of ClickHouse's error codes that call for something else than to report them.</summary>
public static class ClickHouseErrorCodes
{
    public const int UnknownDatabase = 81;
    public const int UnknownSetting = 115;
}
