using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gateway.Core.Query;

/// <summary>One element of a page, from the one that was clicked up to the body.</summary>
public sealed class PageElement
{
    public string TagName { get; internal set; } = "";

    public string? Text { get; internal set; }

    public string? Href { get; internal set; }

    public string? AttrId { get; internal set; }

    public IReadOnlyList<string> Classes { get; internal set; } = [];

    public int? NthChild { get; internal set; }

    public int? NthOfType { get; internal set; }

    /// <summary>The rest, with the prefix <c>attr__</c> as the SDK sent it.</summary>
    public Dictionary<string, string> Attributes { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// Reads what posthog-js writes into <c>$elements_chain</c>:
/// <code>
/// chain    = element { ";" element }
/// element  = tag { "." class } [ ":" { name "=" '"' value '"' } ]      a backslash escapes a quote or itself
/// </code>
/// Whatever a client wrote there is read as far as it goes; nothing in it is an error.
/// </summary>
public static class ElementsChain
{
    // posthog-js walks up to the body; a chain longer than this is not one of its own.
    private const int MaxElements = 200;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    public static List<PageElement> Parse(string chain)
    {
        List<PageElement> elements = [];
        int at = 0;
        while (at < chain.Length && elements.Count < MaxElements)
        {
            elements.Add(ReadElement(chain, ref at));
            if (at < chain.Length) at++;
        }

        return elements;
    }

    private static PageElement ReadElement(string chain, ref int at)
    {
        PageElement element = new();
        int start = at;
        while (at < chain.Length && chain[at] != ';' && !BeginsAttributes(chain, at)) at++;

        string head = chain[start..at];
        string[] names = head.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (names.Length > 0) element.TagName = names[0];
        if (names.Length > 1) element.Classes = names[1..];

        if (at < chain.Length && chain[at] == ':')
        {
            at++;
            while (at < chain.Length && chain[at] != ';') ReadAttribute(chain, ref at, element);
        }

        return element;
    }

    /// <summary>A colon may be part of a class too (md:flex); before the attributes a name and = follow it.</summary>
    private static bool BeginsAttributes(string chain, int at)
    {
        if (chain[at] != ':') return false;

        var rest = chain.AsSpan(at + 1);
        int end = rest.IndexOfAnyExcept(NameCharacters);
        return end >= 0 && rest[end] == '=';
    }

    private static void ReadAttribute(string chain, ref int at, PageElement element)
    {
        int end = chain.AsSpan(at).IndexOfAny('=', ';');
        if (end < 0 || chain[at + end] == ';')
        {
            at = end < 0 ? chain.Length : at + end;
            return;
        }

        string name = chain[at..(at + end)].Trim();
        at += end + 1;
        Set(element, name, ReadValue(chain, ref at));
    }

    private static string ReadValue(string chain, ref int at)
    {
        StringBuilder value = new();
        if (at < chain.Length && chain[at] == '"') at++;
        while (at < chain.Length && chain[at] != '"')
        {
            if (chain[at] == '\\' && at + 1 < chain.Length && chain[at + 1] is '"' or '\\') at++;
            value.Append(chain[at++]);
        }

        if (at < chain.Length) at++;
        return value.ToString();
    }

    private static void Set(PageElement element, string name, string value)
    {
        switch (name)
        {
            case "": break;
            case "text": element.Text = value; break;
            case "href": element.Href = value; break;
            case "attr_id": element.AttrId = value; break;
            case "nth-child": element.NthChild = Number(value); break;
            case "nth-of-type": element.NthOfType = Number(value); break;
            default: element.Attributes[name] = value; break;
        }
    }

    private static int? Number(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
