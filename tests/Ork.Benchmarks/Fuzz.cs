using System.Diagnostics;
using System.Globalization;
using Ork.Protocol.Tests;

namespace Ork.Benchmarks;

/// <summary>Mutated frames through every reader.</summary>
internal static class Fuzz
{
    internal static int Run(string[] args)
    {
        var frames = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 2_000_000;
        var seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1;
        var fuzzer = new FrameFuzzer(seed);
        var clock = Stopwatch.StartNew();
        var accepted = 0;
        for (var i = 0; i < frames; i++)
        {
            var frame = fuzzer.Next();
            try
            {
                if (FrameFuzzer.Try(frame)) accepted++;
            }
            catch (Exception e)
            {
                Console.Error.WriteLine($"frame {i} of seed {seed}: {e}\n{Convert.ToBase64String(frame.Span)}");
                return 1;
            }

            if (!Console.IsErrorRedirected && i % 100_000 == 0) Console.Error.Write($"\r{i:n0} frames");
        }

        Console.WriteLine($"{frames:n0} mutated frames, {accepted:n0} accepted, {frames - accepted:n0} refused with a code, none threw; {frames / clock.Elapsed.TotalSeconds:n0} frames/s");
        return 0;
    }
}
