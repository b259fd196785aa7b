using Gateway.Core.Query;

namespace Gateway.Core.Tests.Query;

public sealed class ElementsChainTests
{
    [Fact]
    public void What_posthog_js_writes_is_read_back()
    {
        var elements = ElementsChain.Parse(
            """a.md:flex.btn:attr__href="/x;y"attr__class="md:flex btn"href="/x;y"nth-child="3"text="say \"hi\" \\";body:nth-of-type="1" """);

        Assert.Equal(2, elements.Count);
        Assert.Equal("a", elements[0].TagName);
        Assert.Equal(["md:flex", "btn"], elements[0].Classes);
        Assert.Equal("/x;y", elements[0].Href);
        Assert.Equal("/x;y", elements[0].Attributes["attr__href"]);
        Assert.Equal(3, elements[0].NthChild);
        Assert.Equal("say \"hi\" \\", elements[0].Text);
        Assert.Equal("body", elements[1].TagName);
        Assert.Equal(1, elements[1].NthOfType);
    }

    [Fact]
    public void Nothing_in_a_chain_is_an_error()
    {
        Random random = new(1);
        const string Alphabet = "ab.:;=\"\\ -_é\0";
        for (int i = 0; i < 20_000; i++)
        {
            string chain = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            Assert.InRange(ElementsChain.Parse(chain).Count, 0, 200);
        }

        Assert.Equal(200, ElementsChain.Parse(new string(';', 100_000)).Count);
        Assert.Empty(ElementsChain.Parse(""));
    }
}
