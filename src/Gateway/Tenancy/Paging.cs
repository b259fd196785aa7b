using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Tenancy;

/// <summary>A part of a list, in PostHog's shape.</summary>
/// <param name="Count">Entries of the whole list.</param>
/// <param name="Next">Path and query of the next part; null: this is the last.</param>
/// <param name="Previous">The same backwards.</param>
/// <param name="Results">This part.</param>
internal sealed record Page<T>(long Count, string? Next, string? Previous, IReadOnlyList<T> Results);

/// <summary>Cuts a list by the query's <c>limit</c> and <c>offset</c>.</summary>
internal static class Paging
{
    public const int StandardLimit = 100;
    public const int MostAtOnce = 1000;

    public static IResult Answer<TSource, T>(
        HttpContext context, IReadOnlyList<TSource> all, Func<TSource, T> answerOf, JsonTypeInfo<Page<T>> json)
    {
        if (!TryCut(context, all, out var part, out var mistake)) return mistake!;

        return Answer(context, part, [.. part.Entries.Select(answerOf)], json);
    }

    /// <summary>The same of a list that is cut where it is kept.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">Entries at once, at most.</param>
    /// <param name="read">Entries of the whole list, and the part of a limit and an offset.</param>
    /// <param name="answerOf">An entry as it is shown.</param>
    /// <param name="json">Of the page.</param>
    public static IResult Answer<TSource, T>(
        HttpContext context,
        int most,
        Func<int, int, (long Count, List<TSource> Part)> read,
        Func<TSource, T> answerOf,
        JsonTypeInfo<Page<T>> json)
    {
        long standard = Math.Min(StandardLimit, most);
        if (!TryRead(context, "limit", standard, 1, most, out long limit, out var mistake)) return mistake!;
        if (!TryRead(context, "offset", 0, 0, int.MaxValue, out long offset, out mistake)) return mistake!;

        var (count, entries) = read((int)limit, (int)offset);
        return Answer(context, new Part<TSource>(entries, count, limit, offset), [.. entries.Select(answerOf)], json);
    }

    /// <summary>The same where an entry is asked for more; what has gone meanwhile, null, is left out.</summary>
    public static async Task<IResult> AnswerAsync<TSource, T>(
        HttpContext context, IReadOnlyList<TSource> all, Func<TSource, Task<T?>> answerOf, JsonTypeInfo<Page<T>> json)
        where T : class
    {
        if (!TryCut(context, all, out var part, out var mistake)) return mistake!;

        var results = new List<T>();
        foreach (var entry in part.Entries)
        {
            if (await answerOf(entry) is { } answer) results.Add(answer);
        }

        return Answer(context, part, results, json);
    }

    /// <summary>A whole number of the query; false when it is none, or not within its limits.</summary>
    public static bool TryRead(
        HttpContext context, string name, long standard, long least, long most, out long number, out IResult? mistake)
    {
        (number, mistake) = (standard, null);
        if (context.Request.Query[name].LastOrDefault() is not { } text) return true;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number >= least && number <= most)
        {
            return true;
        }

        mistake = ApiError.Validation($"{name} must be a whole number from {least} to {most}.", name);
        return false;
    }

    public static string Link(HttpContext context, params (string Name, string Value)[] fields)
    {
        var query = new QueryBuilder(context.Request.Query
            .Where(field => fields.All(ours => ours.Name != field.Key))
            .SelectMany(field => field.Value, (field, value) => KeyValuePair.Create(field.Key, value ?? "")));
        foreach (var (name, value) in fields) query.Add(name, value);
        return UriHelper.BuildRelative(context.Request.PathBase, context.Request.Path, query.ToQueryString());
    }

    private static bool TryCut<TSource>(
        HttpContext context, IReadOnlyList<TSource> all, out Part<TSource> part, out IResult? mistake)
    {
        part = default;
        if (!TryRead(context, "limit", StandardLimit, 1, MostAtOnce, out long limit, out mistake)) return false;
        if (!TryRead(context, "offset", 0, 0, int.MaxValue, out long offset, out mistake)) return false;

        part = new Part<TSource>(all.Skip((int)offset).Take((int)limit), all.Count, limit, offset);
        return true;
    }

    private static JsonHttpResult<Page<T>> Answer<TSource, T>(
        HttpContext context, Part<TSource> part, IReadOnlyList<T> results, JsonTypeInfo<Page<T>> json)
    {
        var (_, count, limit, offset) = part;
        string? next = offset + limit < count ? Link(context, limit, offset + limit) : null;
        string? previous = offset > 0 ? Link(context, limit, Math.Max(0, offset - limit)) : null;
        return TypedResults.Json(new Page<T>(count, next, previous, results), json);
    }

    private static string Link(HttpContext context, long limit, long offset) => Link(
        context,
        ("limit", limit.ToString(CultureInfo.InvariantCulture)),
        ("offset", offset.ToString(CultureInfo.InvariantCulture)));

    /// <summary>What the query asks for of a list.</summary>
    private readonly record struct Part<TSource>(IEnumerable<TSource> Entries, long Count, long Limit, long Offset);
}
