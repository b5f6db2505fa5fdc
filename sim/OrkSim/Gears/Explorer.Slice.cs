namespace OrkSim;

public sealed partial class Explorer
{
    /// <summary>One scenario in one gear.</summary>
    private sealed class Slice(Explorer explorer, Scenario scenario, Gear gear, IProgress<ExploreProgress>? progress, int index, int count)
    {
        // Not the first of a scenario: what is found at once is found without.
        private const ulong CheckedSeed = 2;

        // A mirrored run takes as long as some four others.
        private const ulong MirroredOfChecked = 5;

        private const double OfLatest = 0.3;

        // Under one seed scenarios draw alike, which of their faults strike for one: side by side, each has seeds of its own, whatever their order.
        private const uint SeedsApart = 1_000_000;

        private readonly ulong _first = FirstSeed(explorer._options.Seed, scenario.Name, count);
        private readonly long? _budget = explorer._options.Runs;
        private IEnumerator<Func<SimRun>>? _work;
        private ulong _coyoteSeed = FirstSeed(explorer._options.Seed, scenario.Name, count);
        private int _coyoteTurn;
        private GuidedGear? _guided;
        private TimeSpan? _until;
        private long _taken;
        private long _toldMs;

        internal bool IsParallel => Explorer.IsParallel(gear);

        /// <summary>What a run takes, the latest counting most: the first ones pay for code that is not compiled yet. 0 where that is not known.</summary>
        internal double RunSeconds { get; private set; }

        /// <summary>Its turn begins.</summary>
        /// <param name="until">How long it lasts on the explorer's clock, or null where the runs say.</param>
        internal void Begin(TimeSpan? until) => _until = until;

        /// <summary>The next run of its turn, or null where that is over. For one asker at a time.</summary>
        internal Func<SimRun>? Next()
        {
            _work ??= gear switch
            {
                Gear.Swarm => Swarm().GetEnumerator(),
                Gear.Sweep => Sweep().GetEnumerator(),
                _ => Mirror().GetEnumerator(),
            };
            if (IsDone()) return null;
            _taken++;
            return _work.MoveNext() ? _work.Current : null;
        }

        /// <summary>Makes a run that <see cref="Next"/> gave.</summary>
        internal void Make(Func<SimRun> one)
        {
            var begun = explorer._clock.Elapsed;
            var run = one();
            var worked = explorer._clock.Elapsed - begun;
            explorer.Pace(scenario, run.Result, worked);
            lock (explorer._gate) RunSeconds = RunSeconds > 0 ? RunSeconds + ((worked.TotalSeconds - RunSeconds) * OfLatest) : worked.TotalSeconds;
            explorer.Take(run, scenario);
            Told();
        }

        /// <summary>Makes the runs of its turn, one after the other.</summary>
        internal void Run()
        {
            switch (gear)
            {
                case Gear.Coyote:
                    Coyote();
                    break;
                case Gear.Guided:
                    Guided();
                    break;
                default:
                    if (explorer._exhausted) return;
                    var watch = Watching(() => 1 + (ulong)explorer._runs) with { KeepChoices = true };
                    explorer._exhausted = ExhaustGear.Run(scenario, watch, _budget ?? long.MaxValue, run => explorer.Take(run, scenario) && !Told());
                    break;
            }
        }

        private static ulong FirstSeed(ulong seed, string scenario, int count) => seed + (count > 1 ? (uint)SimNode.SiteOf(scenario) % SeedsApart : 0);

        private IEnumerable<Func<SimRun>> Swarm()
        {
            for (var seed = _first; ; seed++)
            {
                var one = seed;
                yield return () => RunSeed(one);
            }
        }

        /// <summary>How a run is watched: as asked for, and its steps.</summary>
        private WatchOptions Watching(Func<ulong> seed)
        {
            var asked = explorer._options.Watch;
            return asked with
            {
                Prepare = world =>
                {
                    explorer._stepWatch.Begin(world, gear, seed());
                    asked.Prepare?.Invoke(world);
                },
            };
        }

        private static bool IsOneIn(ulong seed, ulong every) => every > 0 && seed % every == CheckedSeed % every;

        private SimRun RunSeed(ulong seed)
        {
            var watch = Watching(() => seed);
            var every = (ulong)explorer._options.CheckEvery;
            if (!IsOneIn(seed, every)) return SwarmGear.Run(scenario, seed, watch);
            var first = SwarmGear.Run(scenario, seed, watch with { KeepDigests = true });
            lock (explorer._gate) explorer._checked++;
            try
            {
                // Being mirrored changes nothing of a run: the second time, the real store and journals are held against it too.
                var again = watch with { Expected = first.Result.Digests };
                var second = IsOneIn(seed, every * MirroredOfChecked) ? MirrorGear.Run(scenario, seed, again) : SwarmGear.Run(scenario, seed, again);
                if (first.Result.Held && !second.Result.Held && second.Result.Violations[0].Invariant is "S22" or "S23") return second;
                if (second.Result.Hash != first.Result.Hash) explorer.Mismatch($"{scenario.Name}, seed {seed}: every draw is the same, the trace is not.");
            }
            catch (NotDeterministicException e)
            {
                explorer.Mismatch($"{scenario.Name}, seed {seed}: {e.Message}");
            }

            return first;
        }

        private IEnumerable<Func<SimRun>> Mirror()
        {
            for (var seed = _first; ; seed++)
            {
                var one = seed;
                yield return () => MirrorGear.Run(scenario, one, Watching(() => one));
            }
        }

        private IEnumerable<Func<SimRun>> Sweep()
        {
            for (var seed = _first; ; seed++)
            {
                var one = seed;
                var passing = SwarmGear.Run(scenario, one, Watching(() => one));
                if (!passing.Result.Held)
                {
                    yield return () => passing;
                    continue;
                }

                foreach (var point in SweepGear.Points(passing.Result.Steps, explorer._options.SweepNodes, _budget ?? 0))
                {
                    yield return () => SwarmGear.RunConcrete(passing.Scenario, one, Watching(() => one), point);
                }
            }
        }

        private void Coyote()
        {
            for (; !explorer.Over && !IsDone(); _coyoteTurn++)
            {
                // Batches, so that every strategy has its turn whatever the time.
                var batch = (int)Math.Min(25, _budget is { } budget ? Math.Max(1, (budget + 2) / CoyoteGear.Strategies.Count) : 25);
                var strategy = CoyoteGear.Strategies[_coyoteTurn % CoyoteGear.Strategies.Count];
                var number = _coyoteSeed;
                CoyoteGear.Explore(scenario, strategy, _coyoteSeed, batch, Watching(() => number++), run =>
                {
                    Interlocked.Increment(ref _taken);
                    return explorer.Take(run, scenario) && !Told() && !IsDone();
                });
                _coyoteSeed += (ulong)batch;
            }
        }

        private void Guided()
        {
            _guided ??= new GuidedGear(scenario, _first, Watching(() => _first + (ulong)Interlocked.Read(ref _taken) - 1));
            while (!explorer.Over && !IsDone())
            {
                _taken++;
                explorer.Take(_guided.Next(), scenario);
                Told();
            }
        }

        private bool IsDone() => (_budget is { } budget && _taken >= budget) || (_until is { } time && explorer._clock.Elapsed >= time);

        /// <summary>Tells how far it is, now and then. Never ends anything.</summary>
        private bool Told()
        {
            if (progress is null) return false;
            var ms = explorer._clock.ElapsedMilliseconds;
            if (ms - Interlocked.Read(ref _toldMs) < 100) return false;
            Interlocked.Exchange(ref _toldMs, ms);
            var part = explorer._options.Time is { } time ? explorer._clock.Elapsed / time
                : _budget is { } budget ? (index + Math.Clamp((double)Interlocked.Read(ref _taken) / budget, 0, 1)) / count
                : 0;
            progress.Report(new ExploreProgress(
                scenario.Name, GearNames.Of(gear), explorer._runs, explorer._steps, explorer._found.Count, Math.Clamp(part, 0, 1)));
            return false;
        }
    }
}
