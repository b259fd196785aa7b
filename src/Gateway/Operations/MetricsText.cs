using System.Globalization;
using System.Text;

namespace Gateway.Operations;

/// <summary>Prometheus' text format, one family after the other.</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new();

    public MetricsText Counter(string name, string help, double value) =>
        Family(name, "counter", help).Sample(name, "", value);

    public MetricsText Gauge(string name, string help, double value) =>
        Family(name, "gauge", help).Sample(name, "", value);

    /// <summary>One family with a label: a sample for each pair.</summary>
    public MetricsText Counters(string name, string help, string label, IEnumerable<(string Value, long Count)> samples)
    {
        Family(name, "counter", help);
        foreach (var (value, count) in samples) Sample(name, $"{{{label}=\"{value}\"}}", count);

        return this;
    }

    /// <summary>As above, of what may fall too.</summary>
    public MetricsText Gauges(string name, string help, string label, IEnumerable<(string Value, long Count)> samples)
    {
        Family(name, "gauge", help);
        foreach (var (value, count) in samples) Sample(name, $"{{{label}=\"{value}\"}}", count);

        return this;
    }

    /// <summary>Buckets that each hold the ones before; the last has no bound.</summary>
    public MetricsText Histogram(
        string name, string help, IEnumerable<(double? UpTo, long Count)> buckets, double sum)
    {
        Family(name, "histogram", help);
        long all = 0;
        foreach (var (upTo, count) in buckets)
        {
            string bound = upTo?.ToString("R", CultureInfo.InvariantCulture) ?? "+Inf";
            Sample($"{name}_bucket", $"{{le=\"{bound}\"}}", count);
            all = count;
        }

        return Sample($"{name}_sum", "", sum).Sample($"{name}_count", "", all);
    }

    public override string ToString() => _text.ToString();

    private MetricsText Family(string name, string type, string help)
    {
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        return this;
    }

    private MetricsText Sample(string name, string labels, double value)
    {
        _text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value:R}\n");
        return this;
    }
}
