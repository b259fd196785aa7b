namespace Gateway.Console.Tests.Running;

/// <summary>Every page of the console.</summary>
internal static class Places
{
    public static IReadOnlyList<Place> Of(Team team)
    {
        string project = $"/project/{team.Project}";
        string organization = $"/organization/{team.Organization}";
        return
        [
            new("live", $"{project}/live", "Live events"),
            new("quarantine", $"{project}/quarantine", "Quarantine"),
            new("explore", Explore(project, "line"), "Explore"),
            new("explore-bar", Explore(project, "bar"), "Explore"),
            new("explore-number", Explore(project, "number"), "Explore"),
            new("explore-table", Explore(project, "table"), "Explore"),
            new("health", $"{project}/health", "Health"),
            new("start", $"{project}/start", "Send events"),
            new("settings", $"{project}/settings", "Project settings"),
            new("members", $"{organization}/members", "Members"),
            new("projects", $"{organization}/projects", "Projects"),
            new("audit-log", $"{organization}/audit-log", "Audit log"),
            new("organization", $"{organization}/general", "Organization"),
            new("keys", "/account/keys", "Personal API keys"),
            new("account", "/account", "Account"),
        ];
    }

    private static string Explore(string project, string display) =>
        $"{project}/explore?q=" + Uri.EscapeDataString(
            $$"""{"series":[{"event":"","math":"total"}],"breakdown":"$browser","display":"{{display}}"}""");
}

/// <param name="Name">For files.</param>
/// <param name="Path">Its address.</param>
/// <param name="Heading">What it begins with.</param>
internal sealed record Place(string Name, string Path, string Heading);
