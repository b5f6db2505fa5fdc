using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Ork.Analyzers.Tests;

/// <summary>The product's own source, to be changed and compiled anew.</summary>
internal static class ProductSource
{
    private const string Usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;";

    /// <summary>The files of a project, by path, and those of others that it compiles as its own.</summary>
    internal static IReadOnlyDictionary<string, string> Files(string project)
    {
        var folder = Path.Combine(PackageTests.Root(), project);
        return Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(folder, path).Split('/').Any(part => part is "bin" or "obj"))
            .Concat(Linked(folder)).Order(StringComparer.Ordinal).ToDictionary(path => path, File.ReadAllText, StringComparer.Ordinal);
    }

    private static IEnumerable<string> Linked(string folder) => XDocument.Load(Directory.GetFiles(folder, "*.csproj")[0]).Descendants("Compile")
        .Select(item => item.Attribute("Include")?.Value).OfType<string>().Select(path => Path.GetFullPath(Path.Combine(folder, path.Replace('\\', '/'))));

    /// <summary>Compiles files as the project that they are of.</summary>
    internal static CSharpCompilation Compile(string project, IEnumerable<KeyValuePair<string, string>> files)
    {
        var name = Path.GetFileName(project);
        return CSharpCompilation.Create(
            name,
            files.Append(new("Usings.cs", Usings)).Select(file => CSharpSyntaxTree.ParseText(file.Value, Harness.ParseOptions, file.Key)),
            Harness.References.Where(reference => Path.GetFileNameWithoutExtension(reference.Display) != name),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
    }
}
