using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Kernel;

/// <summary>
/// Follows every path through every function of a kernel, branches and calls included. Each function is summed up as the set of what may have happened when it returns;
/// sums are found by repeating until none changes.
/// </summary>
internal sealed class TurnPaths
{
    private readonly Dictionary<ISymbol, Function> _functions = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, List<Function>> _implementations = new(SymbolEqualityComparer.Default);
    private readonly List<(Location At, string Says, IEnumerable<Location> Places)> _found = [];
    private readonly CancellationToken _cancellation;

    internal TurnPaths(IEnumerable<(ISymbol Member, IOperation Body)> bodies, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        foreach (var (member, body) in bodies)
        {
            // What neither fires, records, has effects nor calls on cannot matter; nor can what never sees a turn or a machine.
            var graph = body switch
            {
                IMethodBodyOperation method => ControlFlowGraph.Create(method, cancellation),
                IConstructorBodyOperation constructor => ControlFlowGraph.Create(constructor, cancellation),
                _ => null,
            };
            if (graph is not null) Add(member.OriginalDefinition, member.ContainingType, graph);
        }

        foreach (var function in _functions.Values) NoteImplemented(function);
        foreach (var function in _functions.Values) function.Prepare(this);
    }

    /// <summary>What is wrong, in the order of the code.</summary>
    internal IEnumerable<Diagnostic> Find()
    {
        Solve();
        foreach (var function in _functions.Values) TellEarlyEffects(function);
        var called = new HashSet<Function>(_functions.Values.SelectMany(function =>
            function.Steps.OfType<Step.Call>().SelectMany(call => call.Targets).Where(target => target != function)));
        var told = new HashSet<Function>();
        foreach (var root in _functions.Values.Where(function => !called.Contains(function) && function.Sum.Violate)) Blame(root, [], told);
        return _found.OrderBy(found => found.At.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(found => found.At.SourceSpan.Start)
            .Select(found => Diagnostic.Create(Rules.UnrecordedEffect.Descriptor, found.At, found.Places, found.Says));
    }

    internal IReadOnlyList<Function> TargetsOf(IMethodSymbol method)
    {
        var of = method.OriginalDefinition;
        if (_functions.TryGetValue(of, out var function)) return [function];
        return _implementations.TryGetValue(of, out var several) ? several : [];
    }

    private void Add(ISymbol symbol, INamedTypeSymbol type, ControlFlowGraph graph)
    {
        _functions[symbol] = new Function(symbol, type, graph);
        foreach (var local in graph.LocalFunctions) Add(local, type, graph.GetLocalFunctionControlFlowGraph(local, _cancellation));
        foreach (var lambda in graph.Blocks.SelectMany(block => block.Operations.Append(block.BranchValue)).OfType<IOperation>()
            .SelectMany(operation => operation.DescendantsAndSelf()).OfType<IFlowAnonymousFunctionOperation>())
        {
            Add(lambda.Symbol, type, graph.GetAnonymousFunctionControlFlowGraph(lambda, _cancellation));
        }
    }

    private void NoteImplemented(Function function)
    {
        if (function.Symbol is not IMethodSymbol { IsStatic: false, MethodKind: MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation } method) return;
        foreach (var contract in method.ContainingType.AllInterfaces.SelectMany(offered => offered.GetMembers()).OfType<IMethodSymbol>())
        {
            if (SymbolEqualityComparer.Default.Equals(method.ContainingType.FindImplementationForInterfaceMember(contract)?.OriginalDefinition,
                method)) Note(contract.OriginalDefinition, function);
        }

        for (var overridden = method.OverriddenMethod; overridden is not null; overridden = overridden.OverriddenMethod) Note(overridden.OriginalDefinition, function);
    }

    private void Note(ISymbol contract, Function function)
    {
        if (!_implementations.TryGetValue(contract, out var several)) _implementations.Add(contract, several = []);
        several.Add(function);
    }

    private void Solve()
    {
        for (var changed = true; changed;)
        {
            changed = false;
            _cancellation.ThrowIfCancellationRequested();
            foreach (var function in _functions.Values)
            {
                if (function.IsPlain) continue;
                changed |= function.Update();
            }
        }
    }

    /// <summary>Effects that leave at once although a transition of the same class came before, which is not durable yet.</summary>
    private void TellEarlyEffects(Function function)
    {
        foreach (var step in function.Early())
        {
            _found.Add((step.At.GetLocation(), $"{function.Name} lets an effect leave at once that follows a transition: it leaves before the transition is durable, use the lane that waits for the commit",
                function.Steps.OfType<Step.Fire>().Select(fire => fire.At.GetLocation())));
        }
    }

    /// <summary>Goes down to the function in which an effect and an unrecorded transition come together.</summary>
    private void Blame(Function function, Chain chain, HashSet<Function> told)
    {
        if (!told.Add(function)) return;
        var deeper = function.Steps.OfType<Step.Call>().SelectMany(call => call.Targets.Select(target => (call, target)))
            .Where(step => step.target.Sum.Violate && step.target != function).ToArray();
        if (deeper.Length > 0)
        {
            foreach (var (call, target) in deeper) Blame(target, chain.With(function, call.At), told);
            return;
        }

        var effect = function.Steps.FirstOrDefault(step => step.MayHaveEffect) ?? function.Steps[0];
        var fired = function.Steps.FirstOrDefault(step => step.MayFire);
        var path = chain.Names.Append(function.Name);
        _found.Add((effect.At.GetLocation(), $"The effect depends on a transition that is not recorded on every path: {string.Join(" -> ", path)}",
            chain.Places.Concat(fired is null ? [] : [fired.At.GetLocation()])));
    }

    private sealed class Chain : List<(Function Function, SyntaxNode At)>
    {
        internal IEnumerable<string> Names => this.Select(link => link.Function.Name);

        internal IEnumerable<Location> Places => this.Select(link => link.At.GetLocation());

        internal Chain With(Function function, SyntaxNode at)
        {
            var longer = new Chain();
            longer.AddRange(this);
            longer.Add((function, at));
            return longer;
        }
    }
}

/// <summary>One thing a function does that matters to the turn.</summary>
internal abstract record Step(SyntaxNode At)
{
    internal virtual bool MayFire => false;

    internal virtual bool MayHaveEffect => false;

    /// <summary>A machine makes a transition, or does not where the state has none.</summary>
    internal sealed record Fire(SyntaxNode At) : Step(At)
    {
        internal override bool MayFire => true;
    }

    internal sealed record Record(SyntaxNode At) : Step(At);

    /// <summary>An effect is put into the lane that waits for the commit.</summary>
    internal sealed record Effect(SyntaxNode At) : Step(At)
    {
        internal override bool MayHaveEffect => true;
    }

    /// <summary>An effect is put into the lane that does not wait.</summary>
    internal sealed record AtOnce(SyntaxNode At) : Step(At);

    internal sealed record Call(SyntaxNode At, IReadOnlyList<Function> Targets, bool IsDirect) : Step(At)
    {
        internal override bool MayFire => Targets.Any(target => target.Sum.Any(static path => (path & Happened.Fired) != 0));

        internal override bool MayHaveEffect => Targets.Any(target => target.Sum.Any(static path => (path & Happened.Effect) != 0));
    }
}

/// <summary>A method, accessor, local function or lambda, with what it comes to.</summary>
internal sealed class Function(ISymbol symbol, INamedTypeSymbol type, ControlFlowGraph graph)
{
    private readonly Dictionary<IOperation, Step> _steps = [];
    private readonly HashSet<ILocalSymbol> _branchedOn = new(SymbolEqualityComparer.Default);

    internal ISymbol Symbol { get; } = symbol;

    internal INamedTypeSymbol Type { get; } = type;

    internal string Name => Symbol is IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } ? $"a function in {Type.Name}" : $"{Type.Name}.{Symbol.Name}";

    /// <summary>What may have happened when it returns; nothing at all while no path is known to.</summary>
    internal Paths Sum { get; private set; } = Paths.None;

    /// <summary>True where it may let an effect leave at once, by itself or by what it calls directly.</summary>
    internal bool ReleasesAtOnce { get; private set; }

    internal IReadOnlyList<Step> Steps { get; private set; } = [];

    internal bool IsPlain { get; private set; }

    internal void Prepare(TurnPaths paths)
    {
        foreach (var block in graph.Blocks)
        {
            if (block.BranchValue is { } value && Uses.Unwrap(Negated(value, out _)) is ILocalReferenceOperation { Local: var local }) _branchedOn.Add(local);
            foreach (var operation in block.Operations.Append(block.BranchValue).OfType<IOperation>().SelectMany(InOrder))
            {
                if (StepOf(operation, paths) is { } step) _steps[operation] = step;
            }
        }

        Steps = [.. _steps.Values.OrderBy(step => step.At.SpanStart)];
        IsPlain = Steps.Count == 0;
        if (IsPlain) Sum = Paths.Start;
    }

    /// <summary>Computes the sum anew from those of what it calls.</summary>
    internal bool Update()
    {
        var sum = Flow(null);
        var releases = ReleasesAtOnce || Steps.Any(step => step is Step.AtOnce
            || (step is Step.Call { IsDirect: true } call && call.Targets.Any(target => target.ReleasesAtOnce)));
        var changed = sum != Sum || releases != ReleasesAtOnce;
        (Sum, ReleasesAtOnce) = (sum, releases);
        return changed;
    }

    /// <summary>The steps by which an effect leaves at once after a transition of this class.</summary>
    internal IEnumerable<Step> Early()
    {
        var early = new List<Step>();
        if (!IsPlain) Flow(early);
        return early.Distinct().OrderBy(step => step.At.SpanStart);
    }

    private Paths Flow(List<Step>? early)
    {
        var entering = new Paths[graph.Blocks.Length];
        entering[0] = Paths.Start;
        var work = new Queue<int>();
        work.Enqueue(0);
        while (work.Count > 0)
        {
            var block = graph.Blocks[work.Dequeue()];
            var at = entering[block.Ordinal];
            foreach (var operation in block.Operations) at = Through(operation, at, early);
            var (whenTrue, whenFalse) = Branch(block, ref at, early);
            Follow(block.FallThroughSuccessor, block.ConditionKind == ControlFlowConditionKind.WhenTrue
                ? whenFalse : block.ConditionKind == ControlFlowConditionKind.WhenFalse ? whenTrue : at);
            Follow(block.ConditionalSuccessor, block.ConditionKind == ControlFlowConditionKind.WhenTrue ? whenTrue : whenFalse);
        }

        return entering[graph.Blocks.Length - 1];

        void Follow(ControlFlowBranch? branch, Paths paths)
        {
            if (branch?.Destination is not { } next)
            {
                return;
            }

            // On its way a branch passes the finally blocks of what it leaves.
            foreach (var region in branch.FinallyRegions)
            {
                // One block runs for certain; of several it is not said which do.
                var isCertain = region.FirstBlockOrdinal == region.LastBlockOrdinal;
                for (var i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal; i++)
                {
                    foreach (var operation in graph.Blocks[i].Operations) paths = isCertain
                        ? Through(operation, paths, early) : paths.Or(Through(operation, paths, early));
                }
            }

            var joined = entering[next.Ordinal].Or(paths);
            if (joined == entering[next.Ordinal]) return;
            entering[next.Ordinal] = joined;
            work.Enqueue(next.Ordinal);
        }
    }

    /// <summary>A branch on what <c>Fire</c> returned: only where it was true was there a transition.</summary>
    private (Paths WhenTrue, Paths WhenFalse) Branch(BasicBlock block, ref Paths at, List<Step>? early)
    {
        if (block.BranchValue is not { } value) return (at, at);
        var tested = Uses.Unwrap(Negated(value, out var negated));
        if (_steps.TryGetValue(tested, out var step) && step is Step.Fire)
        {
            foreach (var part in InOrder(tested)) if (part != tested) at = Apply(part, at, early);
            var fired = at.Then(Happened.Fired | Happened.FiredHere);
            return negated ? (at, fired) : (fired, at);
        }

        if (tested is ILocalReferenceOperation { Local: var local } && FiresInto(local))
        {
            var fired = at.Then(Happened.Fired | Happened.FiredHere);
            return negated ? (at, fired) : (fired, at);
        }

        at = Through(value, at, early);
        return (at, at);
    }

    private bool FiresInto(ILocalSymbol local) => _steps.Any(step => step.Value is Step.Fire && AssignedTo(step.Key) is { } into
        && SymbolEqualityComparer.Default.Equals(into, local));

    private Paths Through(IOperation operation, Paths at, List<Step>? early)
    {
        foreach (var part in InOrder(operation)) at = Apply(part, at, early);
        return at;
    }

    private Paths Apply(IOperation operation, Paths at, List<Step>? early)
    {
        if (!_steps.TryGetValue(operation, out var step)) return at;
        switch (step)
        {
            case Step.Fire:
                // Told apart where the result is looked at.
                return AssignedTo(operation) is { } local && _branchedOn.Contains(local) ? at : at.Then(Happened.Fired | Happened.FiredHere);
            case Step.Record:
                return at.Then(Happened.Recorded);
            case Step.Effect:
                return at.Then(Happened.Effect);
            case Step.AtOnce:
                if (HasFiredHere(at)) early?.Add(step);
                return at;
            case Step.Call call:
                if (call.IsDirect && HasFiredHere(at) && call.Targets.Any(target => target.ReleasesAtOnce)) early?.Add(step);
                var after = Paths.None;
                foreach (var target in call.Targets)
                {
                    var isOwn = SymbolEqualityComparer.Default.Equals(target.Type.OriginalDefinition, Type.OriginalDefinition);
                    after = after.Or(at.Then(isOwn ? target.Sum : target.Sum.Elsewhere()));
                }

                return after;
            default:
                return at;
        }
    }

    private static bool HasFiredHere(Paths at) => at.Any(static path => (path & Happened.FiredHere) != 0);

    private static ILocalSymbol? AssignedTo(IOperation operation)
    {
        var at = operation;
        while (at.Parent is IConversionOperation or IParenthesizedOperation) at = at.Parent;
        return at.Parent is ISimpleAssignmentOperation { Target: ILocalReferenceOperation { Local: var local } } ? local : null;
    }

    private static IOperation Negated(IOperation value, out bool negated)
    {
        negated = false;
        value = Uses.Unwrap(value);
        while (value is IUnaryOperation { OperatorKind: UnaryOperatorKind.Not } not)
        {
            negated = !negated;
            value = Uses.Unwrap(not.Operand);
        }

        return value;
    }

    /// <summary>An operation and its parts, parts first; not what stands in functions inside it.</summary>
    private static IEnumerable<IOperation> InOrder(IOperation operation)
    {
        if (operation is IFlowAnonymousFunctionOperation or IAnonymousFunctionOperation or ILocalFunctionOperation) yield break;
        foreach (var child in operation.ChildOperations)
        {
            foreach (var part in InOrder(child)) yield return part;
        }

        yield return operation;
    }

    private static Step? StepOf(IOperation operation, TurnPaths paths)
    {
        if (operation is not IInvocationOperation call) return operation is IObjectCreationOperation { Constructor: { } made } creation
            && paths.TargetsOf(made) is { Count: > 0 } built ? new Step.Call(creation.Syntax, built, true) : null;
        var method = call.TargetMethod;
        if (method.Name is "Fire" && Machines.Is(method.ContainingType)) return IsStored(method.ContainingType) ? new Step.Fire(call.Syntax) : null;
        if (method.Name == "Touch" && Module.IsTurn(method.ContainingType)) return new Step.Record(call.Syntax);
        if (call.Instance is { } instance && Uses.Unwrap(instance) is IPropertyReferenceOperation { Property.ContainingType: { } holder } && IsBatch(holder)
            && method.Name is "Add" or "AddRange" or "Insert")
            return new Step.Record(call.Syntax);
        if (call.Arguments.Any(argument => argument.Parameter?.Type is { } type && IsBatch(type))) return new Step.Record(call.Syntax);
        var lane = Lane.Of(call);
        if (lane == Lane.Kind.AfterCommit) return new Step.Effect(call.Syntax);
        if (lane == Lane.Kind.AtOnce) return new Step.AtOnce(call.Syntax);
        return paths.TargetsOf(method) is { Count: > 0 } targets ? new Step.Call(call.Syntax, targets, method.ContainingType.TypeKind != TypeKind.Interface) : null;
    }

    /// <summary>States are stored unless they say that a start finds them out anew.</summary>
    private static bool IsStored(INamedTypeSymbol machine) =>
        !machine.TypeArguments[0].GetAttributes().Any(attribute => attribute.AttributeClass is { Name: "OrkTransientAttribute", ContainingNamespace.Name: "Ork" });

    private static bool IsBatch(ITypeSymbol type) => type is { Name: "CommitBatch", ContainingNamespace: { Name: "Kernel", ContainingNamespace.Name: "Ork" } };
}

/// <summary>Which lane a call puts an effect into: by calling on it, or by handing it on.</summary>
internal static class Lane
{
    internal enum Kind
    {
        None,
        AtOnce,
        AfterCommit,
    }

    internal static Kind Of(IInvocationOperation call)
    {
        if (call.TargetMethod.ContainingType is { Name: "Answers", ContainingNamespace: { Name: "Kernel", ContainingNamespace.Name: "Ork" } })
        {
            return call.TargetMethod.Name switch
            {
                "AfterCommit" or "RefuseAfterCommit" => Kind.AfterCommit,
                "AtOnce" or "Refuse" => Kind.AtOnce,
                _ => Kind.None,
            };
        }

        if (call.Instance is { } instance && IsLane(instance.Type) && call.TargetMethod.Name is "Send" or "Close" or "Dial" or "Telemetry") return KindOf(instance);
        foreach (var argument in call.Arguments)
        {
            if (IsLane(argument.Parameter?.Type) && KindOf(argument.Value) is var kind and not Kind.None) return kind;
        }

        return Kind.None;
    }

    private static bool IsLane(ITypeSymbol? type) => type is { Name: "EffectBatch", ContainingNamespace: { Name: "Kernel", ContainingNamespace.Name: "Ork" } };

    private static Kind KindOf(IOperation lane)
    {
        lane = Uses.Unwrap(lane);
        if (lane is IPropertyReferenceOperation { Property: { Name: var name, ContainingType: { } of } } && Module.IsTurn(of)) return name == "AtOnce"
            ? Kind.AtOnce : name == "AfterCommit" ? Kind.AfterCommit : Kind.None;
        if (lane is not ILocalReferenceOperation { Local: var local }) return Kind.None;
        var names = local.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax().ToString()).ToArray();
        return names.Any(text => text.IndexOf(".AtOnce", StringComparison.Ordinal) >= 0) ? Kind.AtOnce
            : names.Any(text => text.IndexOf(".AfterCommit", StringComparison.Ordinal) >= 0) ? Kind.AfterCommit : Kind.None;
    }
}
