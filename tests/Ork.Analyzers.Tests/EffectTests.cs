using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Tests;

/// <summary>Chains of calls that leave a compilation: what an assembly says of its members, and what is found where they are called.</summary>
public sealed class EffectTests
{
    private const string Library = """
        namespace Acme;
        public static class Watch { public static long Now() => Inner(); private static long Inner() => System.DateTime.UtcNow.Ticks; public static long Zero() => 0; }
        public class Names { public string Next() => System.Guid.NewGuid().ToString(); public virtual string Plain() => "x"; }
        public class Settings { private readonly string _text = System.IO.File.ReadAllText("x"); public Settings() { } public string Text => _text; public string Again => System.IO.File.ReadAllText("x"); }
        public static class Site { public static System.Threading.Tasks.Task Call(Ork.Client.OrkClient client) => Deep.Down(client); public static bool Ping(string host) { using var socket = new System.Net.Sockets.TcpClient(host, 80); return socket.Connected; } }
        internal static class Deep { internal static System.Threading.Tasks.Task Down(Ork.Client.OrkClient client) { System.Func<System.Threading.Tasks.Task> ask = () => client.StatusAsync("c"); return ask(); } }
        public static class Shown { [Ork.OrkAllow(Ork.OrkEffects.Clock, "for people")] public static string Of() => System.DateTime.UtcNow.ToString("O"); public static string More() => Of(); }
        public class Generic<T> { public T? Last { get; private set; } public long Take(T of) { Last = of; return System.Environment.TickCount64; } }
        """;

    [Theory]
    [InlineData("M:Acme.Watch.Now", 1)]
    [InlineData("M:Acme.Names.Next", 16)]
    [InlineData("M:Acme.Settings.#ctor", 4)]
    [InlineData("P:Acme.Settings.Again", 4)]
    [InlineData("M:Acme.Site.Call(Ork.Client.OrkClient)", 8)]
    [InlineData("M:Acme.Site.Ping(System.String)", 2)]
    [InlineData("M:Acme.Generic`1.Take(`0)", 1)]
    public void An_assembly_says_what_its_public_members_may_do(string member, int effects) =>
        Assert.Contains($"OrkEffectAttribute(\"{member}\", (global::Ork.OrkEffects){effects})", Facts(), StringComparison.Ordinal);

    [Theory]
    [InlineData("Acme.Watch.Zero")]
    [InlineData("Acme.Watch.Inner")]
    [InlineData("Acme.Deep")]
    [InlineData("Acme.Names.Plain")]
    [InlineData("Acme.Settings.Text")]
    [InlineData("Acme.Shown")]
    [InlineData("Acme.Generic`1.Last")]
    public void It_says_nothing_of_members_without_effects_private_ones_and_what_is_allowed(string member) =>
        Assert.DoesNotContain(member, Facts(), StringComparison.Ordinal);

    [Theory]
    [InlineData("ORK0001", "Kernel", "class C { long At() => Acme.Watch.Now(); }", 1)]
    [InlineData("ORK0001", "Worker", "class C { Func<long> At = () => Acme.Watch.Now(); }", 1)]
    [InlineData("ORK0001", "Kernel", "class C { long At(Acme.Generic<string> of) => of.Take(\"x\"); }", 1)]
    [InlineData("ORK0002", "Kernel", "class C { string At(Acme.Names names) => names.Next(); }", 1)]
    [InlineData("ORK0004", "Kernel", "class C { object At() => new Acme.Settings(); }", 1)]
    [InlineData("ORK0004", "Kernel", "class C { string At(Acme.Settings of) => of.Again; }", 1)]
    [InlineData("ORK0004", "Kernel", "class C { bool At() => Acme.Site.Ping(\"x\"); }", 1)]
    [InlineData("ORK0101", "Worker", "class C { void Handle(Ork.Client.OrkClient client) => Help(client); Task Help(Ork.Client.OrkClient client) => Acme.Site.Call(client); }", 1)]
    [InlineData("ORK0101", "Worker", "class C { bool At() => Acme.Site.Ping(\"x\"); }", 0)]
    [InlineData("ORK0001", "Kernel", "class C { string At() => Acme.Shown.More(); long Zero() => Acme.Watch.Zero(); }", 0)]
    [InlineData("ORK0001", "Caller", "class C { long At() => Acme.Watch.Now(); }", 0)]
    public async Task A_chain_that_leaves_the_compilation_is_still_followed(string rule, string role, string code, int times)
    {
        var calling = Harness.Compile([("Case.cs", code)], role, name: "Acme.Caller").AddReferences(LibraryReference());
        Assert.Empty(calling.GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error));

        var found = (await Harness.FindAsync(calling)).Where(it => it.Id == rule).ToArray();

        Assert.Equal(times, found.Length);
    }

    [Fact]
    public async Task The_message_shows_the_chain_and_its_places()
    {
        var compilation = Harness.Compile(
            [("Case.cs", "class C { void Handle(Ork.Client.OrkClient client) => Help(client); void Help(Ork.Client.OrkClient client) => Ask(client); Task Ask(Ork.Client.OrkClient client) => client.StatusAsync(\"c\"); }")], "Worker");

        var found = Assert.Single(await Harness.FindAsync(compilation), it => it.Id == "ORK0101");

        Assert.Contains("C.Handle -> C.Help -> C.Ask -> OrkClient.StatusAsync", found.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Equal(2, found.AdditionalLocations.Count);
    }

    [Fact]
    public void An_assembly_that_does_not_reference_Ork_says_it_all_the_same()
    {
        var alone = CSharpCompilation.Create(
            "Acme.Alone", [CSharpSyntaxTree.ParseText("public static class Watch { public static long Now() => System.DateTime.UtcNow.Ticks; }", Harness.ParseOptions)],
            Harness.References.Where(reference => !Path.GetFileName(reference.Display!).StartsWith("Ork", StringComparison.Ordinal)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));

        Assert.Empty(Generate(alone).GetDiagnostics(TestContext.Current.CancellationToken).Where(found => found.Severity == DiagnosticSeverity.Error));
        Assert.Contains("M:Watch.Now", Generate(alone).SyntaxTrees.Last().ToString(), StringComparison.Ordinal);
    }

    private static Compilation Generate(Compilation compilation)
    {
        CSharpGeneratorDriver.Create([new EffectFactsGenerator().AsSourceGenerator()], parseOptions: Harness.ParseOptions).RunGeneratorsAndUpdateCompilation(compilation, out var updated, out var problems);
        Assert.Empty(problems);
        return updated;
    }

    private static Compilation Compiled() => Generate(Harness.Compile([("Library.cs", Library)], "Edge", name: "Acme.Library"));

    private static string Facts() => Compiled().SyntaxTrees.Last().ToString();

    private static MetadataReference LibraryReference()
    {
        using var image = new MemoryStream();
        var emitted = Compiled().Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray());
    }
}
