using Microsoft.Playwright;

namespace Gateway.Console.Tests.Running;

/// <summary>
/// A browser of its own with one page. What the page complains of (an error of a script, something that the content
/// security policy forbids, a failure of the gateway) fails the test at its end.
/// </summary>
internal sealed class Visitor : IAsyncDisposable
{
    /// <summary>For each step: these tests have the machine for themselves.</summary>
    private const float PatienceMilliseconds = 20_000;

    private readonly List<string> _complaints = [];

    private Visitor(IBrowserContext context, IPage page) => (Context, Page) = (context, page);

    /// <summary>Whether the gateway's answers of 5xx are meant.</summary>
    public bool MayFail { get; set; }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    public static async Task<Visitor> ComeAsync(IBrowserContext context)
    {
        context.SetDefaultTimeout(PatienceMilliseconds);
        context.SetDefaultNavigationTimeout(PatienceMilliseconds);
        var visitor = new Visitor(context, await context.NewPageAsync());
        visitor.Listen();
        return visitor;
    }

    public Task GoAsync(string path) => Page.GotoAsync(path);

    /// <summary>Opens a page of the console and waits for its heading.</summary>
    public async Task OpenAsync(string path, string heading)
    {
        await Page.GotoAsync(path);
        await Heading(heading).WaitForAsync();
    }

    public ILocator Heading(string name) =>
        Page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true, Level = 1 });

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public ILocator Link(string name) => Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true });

    public ILocator Field(string label) => Page.GetByLabel(label, new() { Exact = true });

    /// <summary>A field with a list to choose from.</summary>
    public ILocator Choice(string label) =>
        Page.GetByRole(AriaRole.Combobox, new() { Name = label, Exact = true });

    /// <summary>Types into such a field something of one's own.</summary>
    public static async Task TypeAsync(ILocator field, string text)
    {
        await field.FillAsync(text);
        await field.PressAsync("Escape");
    }

    /// <summary>What a form says at one of its fields.</summary>
    public ILocator Mistake => Page.Locator(".mantine-InputWrapper-error");

    public ILocator Text(string text) => Page.GetByText(text, new() { Exact = true });

    public ILocator Dialog(string title) => Page.GetByRole(AriaRole.Dialog, new() { Name = title });

    public ILocator Region(string label) => Page.GetByRole(AriaRole.Region, new() { Name = label, Exact = true });

    /// <summary>Chooses from a list that opens below a field.</summary>
    public async Task ChooseAsync(ILocator field, string option)
    {
        await field.ClickAsync();
        await Page.GetByRole(AriaRole.Option, new() { Name = option, Exact = true }).ClickAsync();
    }

    /// <summary>Asks the API from the page, with the page's session, as a script of it would.</summary>
    public Task<int> ForceAsync(string method, string path, object? body = null) => Page.EvaluateAsync<int>(
        """
        async ([method, path, body]) => {
          const csrf = /gateway_csrftoken=([^;]+)/.exec(document.cookie)[1];
          const answer = await fetch(path, {
            method,
            headers: { "X-CSRFToken": decodeURIComponent(csrf), "Content-Type": "application/json" },
            body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
          });
          return answer.status;
        }
        """,
        new[] { method, path, body });

    public async ValueTask DisposeAsync()
    {
        await Context.DisposeAsync();
        Assert.Empty(_complaints);
    }

    private void Listen()
    {
        Page.Console += (_, message) =>
        {
            // The browser's own line about an answer of 4xx: some are meant, such as "nobody is signed in".
            bool isAnswer = message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal);
            if (message.Type is "error" or "warning" && !isAnswer) _complaints.Add($"{message.Type}: {message.Text}");
        };
        Page.PageError += (_, error) => _complaints.Add(error);
        Page.Response += (_, answer) =>
        {
            if (answer.Status >= 500 && !MayFail) _complaints.Add($"{answer.Status} {answer.Url}");
        };
        Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("data:", StringComparison.Ordinal) && new Uri(request.Url).Host != "127.0.0.1")
                _complaints.Add($"asks elsewhere: {request.Url}");
        };
    }
}
