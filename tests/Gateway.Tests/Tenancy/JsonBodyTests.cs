using System.Text;
using System.Text.Json;
using Gateway.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Tenancy;

public sealed class JsonBodyTests
{
    [Fact]
    public void Fields_are_read_by_their_type()
    {
        var body = Parse(
            """
            {"name": " Staging ", "last_name": "", "password": " p ", "level": 8, "flag": true, "other": false, "id": 7,
             "uuid": "0197f3a1-0000-7000-8000-000000000001", "scopes": ["query:read", "*"], "ids": [1, 2],
             "uuids": ["0197f3a1-0000-7000-8000-000000000001"], "nothing": null, "unknown": {"deep": [1]}}
            """);

        Assert.Equal("Staging", body.Text("name", 7, required: true));
        Assert.Equal("", body.Text("last_name", 10, mayBeBlank: true));
        Assert.Equal(" p ", body.Secret("password", 3));
        Assert.Equal(8, body.Whole("level"));
        Assert.True(body.Flag("flag"));
        Assert.False(body.Flag("other"));
        Assert.Equal(7, body.Id("id"));
        Assert.Equal(Guid.Parse("0197f3a1-0000-7000-8000-000000000001"), body.Uuid("uuid"));
        Assert.Equal(["query:read", "*"], body.Texts("scopes", 2, 10)!);
        Assert.Equal([1, 2], body.Ids("ids", 2)!);
        Assert.Single(body.Uuids("uuids", 1)!);
        Assert.Null(body.Text("nothing", 1));
        Assert.Null(body.Flag("absent"));
        Assert.False(body.Has("nothing"));
        Assert.True(body.Has("unknown"));
        Assert.Null(body.Refusal);
    }

    [Theory]
    [InlineData("""{"f": 1}""", "text", "invalid_input")]
    [InlineData("""{"f": ["a"]}""", "text", "invalid_input")]
    [InlineData("""{"f": {}}""", "text", "invalid_input")]
    [InlineData("""{"f": true}""", "text", "invalid_input")]
    [InlineData("""{"f": "abcdef"}""", "text", "max_length")]
    [InlineData("""{"f": "  "}""", "text", "blank")]
    [InlineData("""{"f": null}""", "text", "required")]
    [InlineData("{}", "text", "required")]
    [InlineData("""{"F": "x"}""", "text", "required")]
    [InlineData("""{"f": "a\u0000"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\nb"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u007f"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u0085b"}""", "text", "invalid_input")]
    [InlineData("""{"f": "\ud800"}""", "text", "invalid_input")]
    [InlineData("""{"f": "\udc00a"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u202eb"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u202ab"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u2066b"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u2069"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u2028b"}""", "text", "invalid_input")]
    [InlineData("""{"f": "a\u2029"}""", "text", "invalid_input")]
    [InlineData("""{"f": "\u200b"}""", "text", "blank")]
    [InlineData("""{"f": " \u200b \u00ad"}""", "text", "blank")]
    [InlineData("""{"f": "\udb40\udc41"}""", "text", "blank")]
    [InlineData("""{"f": ["a", "\u2060"]}""", "texts", "blank")]
    [InlineData("""{"f": 1}""", "secret", "invalid_input")]
    [InlineData("""{"f": "a\u0000"}""", "secret", "invalid_input")]
    [InlineData("""{"f": "abcdef"}""", "secret", "max_length")]
    [InlineData("""{"f": "1"}""", "whole", "invalid_input")]
    [InlineData("""{"f": 1.5}""", "whole", "invalid_input")]
    [InlineData("""{"f": 1e999}""", "whole", "invalid_input")]
    [InlineData("""{"f": 16}""", "whole", "invalid_input")]
    [InlineData("""{"f": -1}""", "whole", "invalid_input")]
    [InlineData("""{"f": 99999999999999999999}""", "whole", "invalid_input")]
    [InlineData("""{"f": 0}""", "id", "invalid_input")]
    [InlineData("""{"f": "true"}""", "flag", "invalid_input")]
    [InlineData("""{"f": 1}""", "flag", "invalid_input")]
    [InlineData("""{"f": 1}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "x"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "{0197f3a1-0000-7000-8000-000000000001}"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "\ud800"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": " 0197f3a1-0000-7000-8000-000000000001"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "0197f3a1-0000-7000-8000-000000000001 "}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "0197f3a1-0000-7000-8000-0x0000000001"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "+197f3a1-0000-7000-8000-000000000001"}""", "uuid", "invalid_input")]
    [InlineData("""{"f": "a"}""", "texts", "invalid_input")]
    [InlineData("""{"f": ["a", 1]}""", "texts", "invalid_input")]
    [InlineData("""{"f": ["a", null]}""", "texts", "invalid_input")]
    [InlineData("""{"f": ["a", " "]}""", "texts", "blank")]
    [InlineData("""{"f": ["a", "abcdef"]}""", "texts", "max_length")]
    [InlineData("""{"f": ["a", "b", "c"]}""", "texts", "max_length")]
    [InlineData("""{"f": ["1"]}""", "ids", "invalid_input")]
    [InlineData("""{"f": [1]}""", "uuids", "invalid_input")]
    public void A_field_that_is_wrong_is_named(string json, string type, string code)
    {
        var body = Parse(json);

        object? value = type switch
        {
            "text" => body.Text("f", 5, required: true),
            "secret" => body.Secret("f", 5, required: true),
            "whole" => body.Whole("f", 0, 15, required: true),
            "id" => body.Id("f", required: true),
            "flag" => body.Flag("f", required: true),
            "uuid" => body.Uuid("f", required: true),
            "texts" => body.Texts("f", 2, 5, required: true),
            "ids" => body.Ids("f", 2, required: true),
            _ => body.Uuids("f", 2, required: true),
        };

        Assert.Null(value);
        Assert.Equal("f", body.Refusal!.Attr);
        Assert.Equal(code, body.Refusal.Code);
        Assert.StartsWith("f ", body.Refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_wrong_field_is_told_and_nothing_is_read_after_it()
    {
        var body = Parse("""{"a": 1, "b": 2, "c": "fine"}""");

        body.Text("a", 5);
        body.Text("b", 5);

        Assert.Null(body.Text("c", 5));
        Assert.Equal("a", body.Refusal!.Attr);
    }

    [Fact]
    public void Invisible_characters_within_a_text_stay_and_a_text_of_them_alone_is_empty()
    {
        var body = Parse("""{"a": "\u0645\u06cc\u200c\u062e", "b": "\u200b", "c": "\u202e\u200b"}""");

        Assert.Equal("\u0645\u06cc\u200c\u062e", body.Text("a", 5));
        Assert.Equal("", body.Text("b", 5, mayBeBlank: true));
        Assert.Equal("\u202e\u200b", body.Secret("c", 5));
    }

    [Fact]
    public void A_text_is_counted_in_code_points() =>
        Assert.Equal("🐘🐘", Parse("""{"f": "🐘🐘"}""").Text("f", 2));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("1")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"a": 1, "a": 2}""")]
    [InlineData("""{"a": 1, "\u0061": 2}""")]
    [InlineData("""{"\ud800": 1}""")]
    [InlineData("""{"a": 1,}""")]
    public void What_is_no_object_is_refused(string text) => Assert.Null(JsonBody.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Bad_UTF8_and_deep_nests_are_refused_and_a_byte_order_mark_is_not()
    {
        Assert.Null(JsonBody.Parse("{\"a\": \"\xff\"}"u8.ToArray().Select(b => b == 0xc3 ? (byte)0xff : b).ToArray()));
        Assert.Null(JsonBody.Parse(Encoding.UTF8.GetBytes(
            "{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}")));
        Assert.NotNull(JsonBody.Parse(Encoding.UTF8.GetBytes("\uFEFF{}")));
    }

    [Theory]
    [InlineData("{}", "application/json", null, 0)]
    [InlineData("{}", "application/json; charset=utf-8", null, 0)]
    [InlineData("{}", "text/plain", "Bearer phx_key", 0)]
    [InlineData("{}", null, "Bearer phx_key", 0)]
    [InlineData("{}", "text/plain", null, 415)]
    [InlineData("{}", "application/x-www-form-urlencoded", null, 415)]
    [InlineData("{}", null, null, 415)]
    [InlineData("", "application/json", null, 400)]
    [InlineData("[", "application/json", null, 400)]
    public async Task A_body_that_is_not_sent_as_JSON_is_taken_with_a_key_only(
        string text, string? contentType, string? authorization, int expected)
    {
        var (body, error) = await JsonBody.ReadAsync(Request(Encoding.UTF8.GetBytes(text), contentType, authorization));

        Assert.Equal(expected == 0, body is not null);
        Assert.Equal(expected, error is null ? 0 : (await AnswerAsync(error)).Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_refused_whether_or_not_its_length_is_told(bool isTold)
    {
        var request = Request(new byte[JsonBody.MaxBytes + 1], "application/json", null);
        if (isTold) request.Request.ContentLength = JsonBody.MaxBytes + 1;

        var (body, error) = await JsonBody.ReadAsync(request);

        Assert.Null(body);
        Assert.Equal((400, "too_large"), await AnswerAsync(error!));
    }

    [Fact]
    public async Task No_body_is_an_empty_object_where_it_is_optional()
    {
        var (body, _) = await JsonBody.ReadAsync(Request([], null, null), optional: true);

        Assert.Null(body!.Text("f", 1));
        Assert.Null(body.Refusal);
    }

    private static JsonBody Parse(string text) => JsonBody.Parse(Encoding.UTF8.GetBytes(text))!;

    private static DefaultHttpContext Request(byte[] body, string? contentType, string? authorization)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(body);
        context.Request.ContentType = contentType;
        if (authorization is not null) context.Request.Headers.Authorization = authorization;
        return context;
    }

    private static async Task<(int Status, string Code)> AnswerAsync(IResult result)
    {
        using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = answer;
        await result.ExecuteAsync(context);
        using var json = JsonDocument.Parse(answer.ToArray());
        return (context.Response.StatusCode, json.RootElement.GetProperty("code").GetString()!);
    }
}
