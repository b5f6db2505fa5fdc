namespace Ork.Protocol.Tests;

/// <summary>Error codes are the vocabulary that code, tests and reports share.</summary>
public sealed class ErrorCodeTests
{
    [Fact]
    public void Each_code_is_expected_by_some_test()
    {
        var tests = string.Concat(Directory.EnumerateFiles(Path.Combine(Root(), "tests"), "*.cs", SearchOption.AllDirectories).Where(IsTest).Select(File.ReadAllText));
        var names = typeof(ErrorCodes).GetFields().Where(field => field.FieldType == typeof(ErrorCode)).ToDictionary(field => ((ErrorCode)field.GetValue(null)!).Code, field => field.Name, StringComparer.Ordinal);
        Assert.Equal(ErrorCodes.All.Count, names.Count);
        Assert.Empty(names.Where(code => !Mentions(tests, code.Key) && !Mentions(tests, "ErrorCodes." + code.Value)).Select(code => code.Key));
    }

    private static bool IsTest(string file) => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal);

    /// <summary>The name as a whole, not as the beginning of a longer one.</summary>
    private static bool Mentions(string text, string name)
    {
        for (var at = text.IndexOf(name, StringComparison.Ordinal); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            var after = at + name.Length;
            if (after == text.Length || (text[after] != '_' && !char.IsAsciiLetterOrDigit(text[after]))) return true;
        }

        return false;
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) at = at.Parent!;
        return at.FullName;
    }
}
