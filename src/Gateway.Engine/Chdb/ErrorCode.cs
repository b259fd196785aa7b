namespace Gateway.Engine.Chdb;

/// <summary>ClickHouse's error numbers that this program raises or treats differently from others.</summary>
internal static class ErrorCode
{
    public const int CannotReadAllData = 33;
    public const int NotImplemented = 48;
    public const int UnknownSetting = 115;
    public const int RequiredPassword = 194;
    public const int TooManySimultaneousQueries = 202;
    public const int QueryWithSameIdIsAlreadyRunning = 216;
    public const int QueryIsTooLarge = 229;
    public const int ZlibInflateFailed = 354;
    public const int IntoOutfileNotAllowed = 358;
    public const int QueryWasCancelled = 394;
    public const int AuthenticationFailed = 516;
    public const int UnsupportedMediaType = 779;
    public const int Unknown = 1002;
}
