using System.Text.Json;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>
/// Writes a TrendsQuery's answer: <c>{"results":[{action, label, count, data, labels, days, breakdown_value?}]}</c>.
/// </summary>
internal sealed class TrendsAnswer(TrendsPlan plan, AnswerWriter writer)
{
    public async Task WriteAsync(RowReader rows, CancellationToken cancellationToken)
    {
        var lines = await TrendsLine.ReadAsync(plan, rows, cancellationToken);
        var json = writer.Json;
        json.WriteStartObject();
        json.WriteStartArray("results");
        foreach (var line in lines)
        {
            Write(json, line);
            await writer.FlushIfLargeAsync(cancellationToken);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await writer.CompleteAsync(cancellationToken);
    }

    private void Write(Utf8JsonWriter json, TrendsLine line)
    {
        var series = plan.Series[line.Series];
        json.WriteStartObject();
        WriteAction(json, series, line.Series);
        json.WriteString("label", Label(series, line));
        json.WriteNumber("count", line.Count);
        json.WriteStartArray("data");
        foreach (long count in line.Data) json.WriteNumberValue(count);
        json.WriteEndArray();
        WriteTexts(json, "labels", plan.Buckets.Labels);
        WriteTexts(json, "days", plan.Buckets.Days);
        if (line.BreakdownValue is { } value) json.WriteString("breakdown_value", value);
        json.WriteEndObject();
    }

    /// <summary>One series' breakdown is labelled by value; of several series, by both.</summary>
    private string Label(TrendsSeries series, TrendsLine line) =>
        line.BreakdownValue is not { } value ? series.Label
        : plan.Series.Count == 1 ? value
        : $"{series.Label} - {value}";

    private static void WriteAction(Utf8JsonWriter json, TrendsSeries series, int order)
    {
        json.WriteStartObject("action");
        json.WriteString("id", series.Event);
        json.WriteString("type", "events");
        json.WriteNumber("order", order);
        json.WriteString("name", series.Name ?? series.Event ?? "All events");
        json.WriteString("custom_name", series.CustomName);
        json.WriteString("math", series.Math == SeriesMath.UniqueUsers ? "dau" : "total");
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
