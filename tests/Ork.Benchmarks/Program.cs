using System.Text.Json;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Ork.Benchmarks;
using Ork.Transport;

// As `ork kernel run` does; the other processes of a benchmark only pass frames on too.
KernelSockets.GoOnAtOnce();
switch (args)
{
    case ["macro", .. var rest] when !rest.Contains("--help"):
        return await MacroRun.RunAsync(rest);
    case ["soak", .. var rest] when !rest.Contains("--help"):
        return await Soak.RunAsync(rest);
    case ["inner", .. var rest]:
        // In this process: what is measured allocates little and holds no locks, and a process for each case would take minutes to build.
        BenchmarkSwitcher.FromAssembly(typeof(MacroRun).Assembly).Run(
            rest.Length == 0 ? ["--filter", "*"] : rest, DefaultConfig.Instance.WithArtifactsPath(Path.Combine(Path.GetTempPath(), "ork-bench-inner")).AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
        return 0;
    case ["fuzz", .. var rest]:
        return Fuzz.Run(rest);
    case ["role", "kernel", var setup]:
        var kernel = new KernelRole(JsonSerializer.Deserialize<KernelSetup>(setup, Child.Json)!);
        Child.Serve(await kernel.StartAsync(), question => question.Split(' ') is ["shapes", var from] ? kernel.ShapesFrom(int.Parse(from, System.Globalization.CultureInfo.InvariantCulture)) : kernel.Use());
        return 0;
    case ["role", "workers", var setup]:
        WorkersRole.Start(JsonSerializer.Deserialize<WorkerGroup[]>(setup, Child.Json)!);
        Child.Serve([], static _ => 0);
        return 0;
    case ["role", "relay", var setup]:
        var paths = JsonSerializer.Deserialize<string[]>(setup, Child.Json)!;
        var relay = RelayRole.Start(paths[0], paths[1]);
        Child.Serve([], _ => relay());
        return 0;
    case ["role", "sim", var setup]:
        var wanted = JsonSerializer.Deserialize<SimSetup>(setup, Child.Json)!;
        Child.Serve([], _ => SimRole.Measure(wanted));
        return 0;
    default:
        Console.Error.WriteLine($"""
            Usage: dotnet run --project tests/Ork.Benchmarks -c Release -- COMMAND
            {MacroRun.Usage}
            {Soak.Usage}
            inner [--filter PATTERN]
              BenchmarkDotNet on the inner parts: envelopes, machines, timers, the store's commits.
            fuzz [FRAMES=2000000] [SEED=1]
              Mutated frames through every reader; says how many and how fast. Exits 1 if a reader throws.
            """);
        return args is [_, "--help", ..] or ["--help"] ? 0 : 2;
}
