using System.Net;

namespace Gateway.Engine.Http;

/// <summary>The HTTP status that ClickHouse answers for an error, by the error's number.</summary>
internal static class HttpStatus
{
    public static HttpStatusCode Of(int errorCode) => errorCode switch
    {
        // REQUIRED_PASSWORD
        194 => HttpStatusCode.Unauthorized,

        // UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, SET_NON_GRANTED_ROLE, AUTHENTICATION_FAILED
        192 or 193 or 497 or 512 or 516 => HttpStatusCode.Forbidden,

        _ when IsBadRequest(errorCode) => HttpStatusCode.BadRequest,

        // UNKNOWN_ … FUNCTION, IDENTIFIER, TYPE, STORAGE, TABLE, AGGREGATE_FUNCTION, FORMAT, TYPE_OF_QUERY, DATABASE,
        // SETTING, DIRECTION_OF_SORTING, DATABASE_ENGINE, ROLE
        46 or 47 or 50 or 56 or 60 or 63 or 73 or 78 or 81 or 115 or 152 or 336 or 511 => HttpStatusCode.NotFound,

        // QUERY_IS_TOO_LARGE
        229 => HttpStatusCode.RequestEntityTooLarge,

        // NOT_IMPLEMENTED
        48 => HttpStatusCode.NotImplemented,

        // CANNOT_OPEN_FILE, SOCKET_TIMEOUT, CANNOT_SCHEDULE_TASK
        76 or 209 or 439 => HttpStatusCode.ServiceUnavailable,

        // TIMEOUT_EXCEEDED
        159 => HttpStatusCode.RequestTimeout,

        // HTTP_LENGTH_REQUIRED
        381 => HttpStatusCode.LengthRequired,

        // UNSUPPORTED_MEDIA_TYPE
        779 => HttpStatusCode.UnsupportedMediaType,

        _ => HttpStatusCode.InternalServerError,
    };

    private static bool IsBadRequest(int errorCode) => errorCode is
        // CANNOT_PARSE_ … TEXT, ESCAPE_SEQUENCE, QUOTED_STRING, INPUT_ASSERTION_FAILED, DATE, DATETIME, NUMBER, UUID,
        // DOMAIN_VALUE_FROM_STRING, IPV4, IPV6
        6 or 25 or 26 or 27 or 38 or 41 or 72 or 376 or 441 or 675 or 676
        // THERE_IS_NO_COLUMN, DUPLICATE_COLUMN, BAD_ARGUMENTS, ILLEGAL_COLUMN, TYPE_MISMATCH, SYNTAX_ERROR
        or 8 or 15 or 36 or 44 or 53 or 62
        // INCORRECT_DATA, UNKNOWN_ELEMENT_IN_AST, UNKNOWN_TYPE_OF_AST_NODE, TOO_DEEP_AST, TOO_BIG_AST,
        // UNEXPECTED_AST_STRUCTURE, VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, CANNOT_COMPILE_REGEXP
        or 117 or 37 or 123 or 167 or 168 or 223 or 321 or 427;
}
