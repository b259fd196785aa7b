using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>Events as they come, and those that could not be stored.</summary>
[Collection(ConsoleTests.Name)]
public sealed class LiveTests(ConsoleGateway host)
{
    [Fact]
    public async Task Events_of_a_second_page_appear_by_themselves_the_newest_first()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(new { @event = "before", distinct_id = "me" });
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("before").WaitForAsync();

        using var site = new PageServer(ShopPage(host.Address, team.Token));
        var shop = await visitor.Context.NewPageAsync();
        await shop.GotoAsync(site.Address);
        await shop.WaitForFunctionAsync("window.posthog && window.posthog.__loaded");
        await shop.EvaluateAsync("posthog.capture('bought a book', { price: 12, 'Größe': 'XL' })");

        await visitor.Button("bought a book").WaitForAsync();
        await visitor.Button("$pageview").WaitForAsync();

        // Long ago by its own clock, but the last to arrive.
        await team.SendAsync(new { @event = "imported", distinct_id = "me", timestamp = "2026-01-01T10:00:00Z" });
        await visitor.Button("imported").WaitForAsync();
        var names = await visitor.Region("Events").GetByRole(AriaRole.Button).AllInnerTextsAsync();
        var order = names.Select(name => name.Trim()).ToList();
        Assert.InRange(order.IndexOf("imported"), 0, order.IndexOf("bought a book") - 1);
        Assert.InRange(order.IndexOf("bought a book"), 0, order.IndexOf("before") - 1);
        await shop.CloseAsync();
    }

    [Fact]
    public async Task A_row_opens_into_its_properties_as_they_were_sent()
    {
        var team = await host.NewTeamAsync();
        using var sent = await host.Gateway.Http.PostAsync("/e/", new StringContent(
            $$$"""
            {"api_key":"{{{team.Token}}}","event":"order","distinct_id":"me","timestamp":"2026-11-20T23:30:00.125Z",
             "properties":{"id":12345678901234567890,"price":1.10,"lines":[{"sku":"a"}],"paid":true,"note":"two\nlines"}}
            """));
        await team.StoredAsync();
        await team.Chief.DoAsync(HttpMethod.Patch, $"/api/projects/{team.Project}/", new { timezone = "Asia/Tokyo" });

        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live?since=all", "Live events");
        await visitor.Button("order").ClickAsync();
        var properties = visitor.Page.GetByLabel("Properties", new() { Exact = true });
        await properties.WaitForAsync();

        string text = await properties.InnerTextAsync();
        Assert.Contains("12345678901234567890", text, StringComparison.Ordinal);
        Assert.Contains("\"sku\": \"a\"", text, StringComparison.Ordinal);
        Assert.Contains("two\nlines", text, StringComparison.Ordinal);

        // In the project's time zone, which is a day ahead here.
        await visitor.Text("2026-11-21 08:30:00.125").WaitForAsync();

        await visitor.Button("order").ClickAsync();
        await Assertions.Expect(properties).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Filters_by_event_person_and_property_stand_in_the_address()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(
            new { @event = "view", distinct_id = "ann", properties = new { plan = "free" } },
            new { @event = "view", distinct_id = "bob", properties = new { plan = "paid" } },
            new { @event = "click", distinct_id = "bob", properties = new { plan = "paid" } });
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        var rows = visitor.Region("Events").GetByRole(AriaRole.Row);
        await Assertions.Expect(rows).ToHaveCountAsync(4);

        await Visitor.TypeAsync(visitor.Choice("Event"), "view");
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await visitor.Field("Distinct id").FillAsync("bob");
        await Assertions.Expect(rows).ToHaveCountAsync(2);

        // The address is the whole view: it can be sent to somebody.
        await visitor.Page.ReloadAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await visitor.Field("Distinct id").FillAsync("");
        await Assertions.Expect(rows).ToHaveCountAsync(3);

        // By a value that one sees.
        await visitor.Button("view").First.ClickAsync();
        await visitor.Button("Only events with this plan").ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await visitor.Button("Remove property filter 1").ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(3);

        // Or by one that is typed, with a condition.
        await visitor.Button("Filter by property").ClickAsync();
        await Visitor.TypeAsync(visitor.Choice("Property"), "plan");
        await visitor.ChooseAsync(visitor.Choice("Condition"), "is not");
        await visitor.Field("Value").FillAsync("free");
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await visitor.Button("Remove property filter 1").ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(3);

        await Visitor.TypeAsync(visitor.Choice("Event"), "no such event");
        await visitor.Page.GetByRole(AriaRole.Heading, new() { Name = "No event fits" }).WaitForAsync();
    }

    [Fact]
    public async Task While_the_list_is_paused_new_events_are_only_counted()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(new { @event = "one", distinct_id = "me" });
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("one").WaitForAsync();
        await visitor.Button("Pause").ClickAsync();
        await team.SendAsync(new { @event = "two", distinct_id = "me" }, new { @event = "three", distinct_id = "me" });

        await visitor.Button("2 new events").WaitForAsync();
        Assert.Equal(0, await visitor.Button("two").CountAsync());
        await visitor.Button("2 new events").ClickAsync();
        await visitor.Button("two").WaitForAsync();
    }

    [Fact]
    public async Task Events_of_one_request_are_listed_page_by_page_and_the_older_ones_are_not_taken_for_new()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync([.. Enumerable.Range(0, 450).Select(i => new { @event = $"event {i}", distinct_id = "me" })]);
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Text("200 events so far, times in UTC").WaitForAsync();
        await visitor.Button("Pause").ClickAsync();
        for (int polls = 0; polls < 2; polls++)
        {
            await visitor.Page.WaitForResponseAsync(
                answer => answer.Url.EndsWith("/query/", StringComparison.Ordinal)
                    && answer.Request.PostData!.Contains("received_at ASC", StringComparison.Ordinal));
        }

        Assert.Equal(0, await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "new event" }).CountAsync());
        foreach (string all in (string[])["400 events so far, times in UTC", "450 events, times in UTC"])
        {
            await visitor.Page.EvaluateAsync("window.scrollTo(0, document.body.scrollHeight)");
            await visitor.Text(all).WaitForAsync(new() { State = WaitForSelectorState.Attached });
        }
    }

    [Fact]
    public async Task What_is_in_quarantine_is_told_with_its_reason_mended_and_sent_again()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(
            new { @event = "good", distinct_id = "me" },
            new { @event = "", distinct_id = "nameless" },
            new { @event = "nobody's", distinct_id = "" });
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/quarantine", "Quarantine");
        var entries = visitor.Page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "received" });
        await Assertions.Expect(entries).ToHaveCountAsync(2);
        var nameless = entries.Filter(new() { HasText = "The event has no name." });

        // As it is, it is refused again, and says why.
        await nameless.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Alert).GetByText("The event has no name.").WaitForAsync();

        await nameless.GetByRole(AriaRole.Button, new() { Name = "Mend" }).ClickAsync();
        var dialog = visitor.Dialog("Mend and send again");
        await dialog.GetByLabel("Event").FillAsync("""{"event":"mended","distinct_id":"me"}""");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Send again" }).ClickAsync();
        await Assertions.Expect(entries).ToHaveCountAsync(1);

        await visitor.Button("Delete all").ClickAsync();
        await visitor.Dialog("Delete all of the quarantine")
            .GetByRole(AriaRole.Button, new() { Name = "Delete all" }).ClickAsync();
        await visitor.Text("Nothing is in quarantine").WaitForAsync();

        await visitor.Link("Live events").ClickAsync();
        await visitor.Button("mended").WaitForAsync();
    }

    internal static string ShopPage(Uri gateway, string token) =>
        $$"""
        <!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
        <script>
          window.posthog = []; posthog.__SV = 1;
          posthog._i = [["{{token}}", {
            api_host: "{{gateway.GetLeftPart(UriPartial.Authority)}}", opt_out_useragent_filter: true, autocapture: false,
          }, "posthog"]];
        </script>
        <script async src="{{gateway}}static/array.js"></script>
        """;
}
