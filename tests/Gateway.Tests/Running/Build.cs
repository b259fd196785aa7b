using System.Runtime.CompilerServices;

namespace Gateway.Tests.Running;

/// <summary>Where the build put things: the same configuration as the tests' own.</summary>
internal static class Build
{
    /// <summary>A file in another project's output.</summary>
    public static string Output(string project, string file)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        string path = Path.Combine(Root(), "artifacts", "bin", project, configuration, file);
        Assert.True(File.Exists(path), $"{path} is missing: build the solution first.");
        return path;
    }

    /// <summary>A file or folder of the repository.</summary>
    public static string Repository(params string[] path) => Path.Combine([Root(), .. path]);

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
