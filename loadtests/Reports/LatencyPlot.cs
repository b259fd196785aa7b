using System.Globalization;
using System.Xml.Linq;

namespace Gateway.LoadTests.Reports;

/// <summary>One mark of an axis.</summary>
internal readonly record struct Tick(double At, string Label);

/// <summary>A picture of latencies on a logarithmic scale, against something that begins at 0: inline SVG.</summary>
/// <param name="title">Above it.</param>
/// <param name="xTitle">What goes to the right.</param>
/// <param name="xMax">Where that ends.</param>
/// <param name="xTicks">Its marks.</param>
internal sealed class LatencyPlot(string title, string xTitle, double xMax, IEnumerable<Tick> xTicks)
{
    private const double Width = 560;
    private const double Height = 320;
    private const double Left = 82;
    private const double Right = Width - 26;
    private const double Top = 12;
    private const double Bottom = Height - 48;

    // More lines than this hide the curves: then only whole powers of ten.
    private const int MostTicks = 10;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private static readonly double[] Steps = [1, 2, 5];

    private readonly List<Curve> _curves = [];

    /// <param name="name">Shown when it is pointed at.</param>
    /// <param name="style">Its class in the page.</param>
    /// <param name="points">From left to right, in nanoseconds.</param>
    /// <param name="isMarked">With a dot at each point.</param>
    public void Add(string name, string style, IEnumerable<(double X, double Nanoseconds)> points, bool isMarked)
    {
        // Nothing takes no time, and there is no logarithm of 0.
        (double, double)[] all = [.. points.Select(point => (point.X, Math.Max(1, point.Nanoseconds)))];
        if (all.Length > 0) _curves.Add(new Curve(name, style, all, isMarked));
    }

    public XElement Draw()
    {
        double[] marks = Marks();
        var (low, high) = (Math.Log10(marks[0]), Math.Log10(marks[^1]));
        var svg = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {Number(Width)} {Number(Height)}"),
            new XAttribute("role", "img"),
            new XAttribute("aria-label", $"{title}: latency against {xTitle}"));
        foreach (double mark in Shown(marks))
        {
            svg.Add(Line(Left, Y(mark), Right, Y(mark), "grid"));
            svg.Add(Text(Left - 6, Y(mark) + 4, "end", Duration(mark)));
        }

        foreach (var tick in xTicks.Where(tick => tick.At <= xMax))
        {
            svg.Add(Line(X(tick.At), Top, X(tick.At), Bottom, "grid"));
            svg.Add(Text(X(tick.At), Bottom + 16, "middle", tick.Label));
        }

        svg.Add(Line(Left, Top, Left, Bottom, "axis"), Line(Left, Bottom, Right, Bottom, "axis"));
        svg.Add(Text((Left + Right) / 2, Height - 8, "middle", xTitle));
        svg.Add(Text(16, (Top + Bottom) / 2, "middle", "latency (log scale)", isUpright: true));
        foreach (var curve in _curves) svg.Add(Draw(curve));
        return new XElement("figure", new XElement("figcaption", title), svg);

        double X(double value) => Left + ((Right - Left) * value / xMax);

        double Y(double nanoseconds) => Bottom - ((Bottom - Top) * (Math.Log10(nanoseconds) - low) / (high - low));

        XElement Draw(Curve curve)
        {
            var points = curve.Points.Select(point => $"{Number(X(point.X))},{Number(Y(point.Y))}");
            var group = new XElement(
                Svg + "g",
                new XAttribute("class", curve.Style),
                new XElement(Svg + "title", curve.Name),
                new XElement(Svg + "polyline", new XAttribute("points", string.Join(' ', points))));
            foreach (var (x, y) in curve.IsMarked ? curve.Points : [])
            {
                group.Add(new XElement(
                    Svg + "circle",
                    new XAttribute("cx", Number(X(x))),
                    new XAttribute("cy", Number(Y(y))),
                    new XAttribute("r", "2.5")));
            }

            return group;
        }
    }

    /// <summary>1, 2, 5, 10 ... from below the least to above the greatest.</summary>
    private double[] Marks()
    {
        double least = _curves.Min(curve => curve.Points.Min(point => point.Y));
        double greatest = _curves.Max(curve => curve.Points.Max(point => point.Y));
        double[] all =
        [
            .. Enumerable.Range(0, 14).SelectMany(power => Steps.Select(step => step * Math.Pow(10, power))),
        ];
        int first = Array.FindLastIndex(all, mark => mark <= least);
        int last = Array.FindIndex(all, mark => mark > greatest);
        return all[first..(last + 1)];
    }

    private static IEnumerable<double> Shown(double[] marks) => marks.Length <= MostTicks
        ? marks
        : marks.Where(mark => Math.Abs(Math.Log10(mark) % 1) < 1e-6);

    private static string Duration(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => $"{Number(nanoseconds)} ns",
        < 1e6 => $"{Number(nanoseconds / 1e3)} µs",
        < 1e9 => $"{Number(nanoseconds / 1e6)} ms",
        _ => $"{Number(nanoseconds / 1e9)} s",
    };

    private static XElement Line(double x1, double y1, double x2, double y2, string style) => new(
        Svg + "line",
        new XAttribute("class", style),
        new XAttribute("x1", Number(x1)),
        new XAttribute("y1", Number(y1)),
        new XAttribute("x2", Number(x2)),
        new XAttribute("y2", Number(y2)));

    private static XElement Text(double x, double y, string anchor, string text, bool isUpright = false) => new(
        Svg + "text",
        new XAttribute("x", Number(x)),
        new XAttribute("y", Number(y)),
        new XAttribute("text-anchor", anchor),
        isUpright ? new XAttribute("transform", $"rotate(-90 {Number(x)} {Number(y)})") : null,
        text);

    private static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private sealed record Curve(string Name, string Style, (double X, double Y)[] Points, bool IsMarked);
}
