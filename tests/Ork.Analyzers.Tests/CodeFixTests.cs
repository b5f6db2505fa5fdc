using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Testing;
using Ork.Analyzers.Apis;
using Ork.Analyzers.CodeFixes;

namespace Ork.Analyzers.Tests;

/// <summary>What the fixes make of code.</summary>
public sealed class CodeFixTests
{
    private const string Usings = """
        using System;
        using System.Collections.Generic;
        using System.Diagnostics;
        using System.Threading;
        using System.Threading.Tasks;
        using Ork.Protocol;

        [assembly: Ork.OrkRole(Ork.OrkRole.Kernel)]

        """;

    [Theory]
    [InlineData("class C(TimeProvider time) { DateTime At() => {|ORK0001:DateTime.UtcNow|}; }", "class C(TimeProvider time) { DateTime At() => time.GetUtcNow().UtcDateTime; }")]
    [InlineData("class C { readonly TimeProvider _time = null!; DateTimeOffset At => {|ORK0001:DateTimeOffset.UtcNow|}; }", "class C { readonly TimeProvider _time = null!; DateTimeOffset At => _time.GetUtcNow(); }")]
    [InlineData("class C { long At(TimeProvider clock) => {|ORK0001:Stopwatch.GetTimestamp()|}; }", "class C { long At(TimeProvider clock) => clock.GetTimestamp(); }")]
    [InlineData("class C { TimeSpan Since(TimeProvider clock, long at) => {|ORK0001:Stopwatch.GetElapsedTime(at)|}; }", "class C { TimeSpan Since(TimeProvider clock, long at) => clock.GetElapsedTime(at); }")]
    [InlineData("class C { Func<long> Clock(TimeProvider clock) => {|ORK0001:Stopwatch.GetTimestamp|}; }", "class C { Func<long> Clock(TimeProvider clock) => clock.GetTimestamp; }")]
    [InlineData("sealed record Ports(TimeProvider Time); class C(Ports ports) { DateTimeOffset At() => {|ORK0001:DateTimeOffset.UtcNow|}; }",
        "sealed record Ports(TimeProvider Time); class C(Ports ports) { DateTimeOffset At() => ports.Time.GetUtcNow(); }")]
    public Task The_clock_at_hand_takes_the_machines_place(string before, string after) => FixAsync(before, after);

    [Theory]
    [InlineData("class C(IEntropy entropy, TimeProvider time) { Guid Next() => {|ORK0002:Guid.NewGuid()|}; }",
        "class C(IEntropy entropy, TimeProvider time) { Guid Next() => entropy.NextId(time.GetUtcNow().ToUnixTimeMilliseconds()); }")]
    [InlineData("class C(IEntropy entropy) { int Next(int most) => {|ORK0002:Random.Shared|}.Next(most); }", "class C(IEntropy entropy) { int Next(int most) => (int)entropy.Below(most); }")]
    [InlineData("class C(IEntropy entropy) { int Next(int a, int b) => {|ORK0002:Random.Shared|}.Next(a, b); }", "class C(IEntropy entropy) { int Next(int a, int b) => (a + (int)entropy.Below(b - a)); }")]
    public Task The_chance_at_hand_takes_the_machines_place(string before, string after) => FixAsync(before, after);

    [Theory]
    [InlineData("class C { async Task Go(Task task) { await {|ORK0003:task.ConfigureAwait(false)|}; } }", "class C { async Task Go(Task task) { await task; } }")]
    [InlineData("class C { async Task Go(IAsyncEnumerable<int> of) { await foreach (var item in {|ORK0003:of.ConfigureAwait(false)|}) { } } }",
        "class C { async Task Go(IAsyncEnumerable<int> of) { await foreach (var item in of) { } } }")]
    [InlineData("class C(TimeProvider time) { Task Go() => {|ORK0003:Task.Delay(100)|}; }", "class C(TimeProvider time) { Task Go() => Task.Delay(TimeSpan.FromMilliseconds(100), time); }")]
    [InlineData("class C(TimeProvider time) { Task Go(TimeSpan pause, CancellationToken token) => {|ORK0003:Task.Delay(pause, token)|}; }",
        "class C(TimeProvider time) { Task Go(TimeSpan pause, CancellationToken token) => Task.Delay(pause, time, token); }")]
    [InlineData("class C(TimeProvider time) { Task Go(Task task) => {|ORK0003:task.WaitAsync(TimeSpan.FromSeconds(1))|}; }",
        "class C(TimeProvider time) { Task Go(Task task) => task.WaitAsync(TimeSpan.FromSeconds(1), time); }")]
    [InlineData("class C(TimeProvider time) { CancellationTokenSource Go() => {|ORK0003:new(500)|}; }", "class C(TimeProvider time) { CancellationTokenSource Go() => new(TimeSpan.FromMilliseconds(500), time); }")]
    public Task What_left_the_scheduler_stays_on_it(string before, string after) => FixAsync(before, after);

    [Theory]
    [InlineData("class C { Task Go(Task a, Task<int> b) => {|ORK0008:Task.WhenAll(a, b)|}; }", "class C { Task Go(Task a, Task<int> b) => Task.WhenAll(new Task[] { a, b }); }")]
    [InlineData("class C { Task<int[]> Go(Task<int> a, Task<int> b) => {|ORK0008:Task.WhenAll(a, b)|}; }", "class C { Task<int[]> Go(Task<int> a, Task<int> b) => Task.WhenAll(new Task<int>[] { a, b }); }")]
    [InlineData("class C { Task Go(Task a, Task b) => {|ORK0008:Task.WhenAny([a, b])|}; }", "class C { Task Go(Task a, Task b) => Task.WhenAny(new Task[] { a, b }); }")]
    [InlineData("class C { readonly Lock _gate = {|ORK0008:new()|}; }", "class C { readonly object _gate = new(); }")]
    [InlineData("class C { private readonly Lock _gate = {|ORK0008:new Lock()|}; }", "class C { private readonly object _gate = new object(); }")]
    [InlineData("class C { async Task Go(Task task) => await {|ORK0008:task.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext)|}; }", "class C { async Task Go(Task task) => await task; }")]
    public Task What_Coyote_cannot_model_is_written_so_that_it_can(string before, string after) => FixAsync(before, after);

    [Theory]
    [InlineData("class C { static DateTime At() => {|ORK0001:DateTime.UtcNow|}; }")]
    [InlineData("class C(IEntropy entropy) { Guid Next() => {|ORK0002:Guid.NewGuid()|}; }")]
    [InlineData("class C { Task Go() => {|ORK0003:Task.Run(() => { })|}; }")]
    public Task Nothing_is_offered_where_nothing_is_at_hand(string code) => FixAsync(code, code);

    [Fact]
    public Task All_of_a_file_are_fixed_at_once() => FixAsync(
        "class C(TimeProvider time)\n{\n    long A() => {|ORK0001:DateTime.UtcNow|}.Ticks;\n    long B() => {|ORK0001:Stopwatch.GetTimestamp()|};\n    DateTimeOffset D => {|ORK0001:DateTimeOffset.UtcNow|};\n}",
        "class C(TimeProvider time)\n{\n    long A() => time.GetUtcNow().UtcDateTime.Ticks;\n    long B() => time.GetTimestamp();\n    DateTimeOffset D => time.GetUtcNow();\n}");

    private static async Task FixAsync(string before, string after)
    {
        var test = new CSharpCodeFixTest<ApiAnalyzer, OrkCodeFixProvider, DefaultVerifier>
        {
            TestCode = Usings + before,
            FixedCode = Usings + after,
            ReferenceAssemblies = new ReferenceAssemblies("net10.0"),
            CompilerDiagnostics = CompilerDiagnostics.Errors,
            SolutionTransforms =
            {
                (solution, project) => solution.WithProjectParseOptions(project, Harness.ParseOptions)
                    .WithProjectCompilationOptions(project, ((CSharpCompilationOptions)solution.GetProject(project)!.CompilationOptions!).WithNullableContextOptions(Microsoft.CodeAnalysis.NullableContextOptions.Enable)),
            },
        };
        test.TestState.AdditionalReferences.AddRange(Harness.References);
        await test.RunAsync(TestContext.Current.CancellationToken);
    }
}
