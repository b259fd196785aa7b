using System.Collections.Frozen;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Shipping;

/// <summary>Tells trouble of the server, which is waited out, from rows that it will never take.</summary>
internal static class InsertFailure
{
    /// <summary>
    /// Codes that can speak of values. To be wrong here costs a search; a row is put aside only after it was refused
    /// alone, twice, where others were accepted. What is not listed is tried more often before it is searched.
    /// </summary>
    private static readonly FrozenSet<int> Data = FrozenSet.Create(
        6, 25, 26, 27, 38, 41, 72, 130, 376, 441, 467, // CANNOT_PARSE_…
        9, 13, 19, 190, 366, // SIZES_…
        32, 33, // ATTEMPT_TO_READ_AFTER_EOF, CANNOT_READ_ALL_DATA
        36, 44, 49, 50, 53, 69, 70, // BAD_ARGUMENTS … CANNOT_CONVERT_TYPE
        117, // INCORRECT_DATA
        128, 131, // TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE
        248, // INVALID_PARTITION_VALUE
        321, 349, 407, // VALUE_IS_OUT_OF_RANGE…, CANNOT_INSERT_NULL…, DECIMAL_OVERFLOW
        395, 469); // FUNCTION_THROW_IF…, VIOLATED_CONSTRAINT

    /// <summary>
    /// Codes that speak of the server and of nothing that was sent: it is waited for, as long as it takes, and no block
    /// is cut for it. Memory and time are not among them, since a block may be too large for either.
    /// </summary>
    private static readonly FrozenSet<int> Server = FrozenSet.Create(
        60, 81, 218, // UNKNOWN_TABLE, UNKNOWN_DATABASE, TABLE_IS_DROPPED
        164, 242, // READONLY, TABLE_IS_READ_ONLY
        192, 193, 194, 195, 497, 516, // UNKNOWN_USER … ACCESS_DENIED, AUTHENTICATION_FAILED
        201, 202, 243, 252, // QUOTA_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, NOT_ENOUGH_SPACE, TOO_MANY_PARTS
        209, 210, 225, 236, 285, 286, 319, 373, 394, 473, 999); // networks, replicas, keepers, cancelled queries

    public static bool IsOfServer(ClickHouseException exception) =>
        exception.Status is not null && Server.Contains(exception.Code);

    public static bool MaySpeakOfData(ClickHouseException exception) =>
        exception.Status is not null && Data.Contains(exception.Code);
}
