using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Effects;

/// <summary>
/// Follows calls. ORK0101 wherever Worker code starts an exchange with the kernel, with the chain that leads there; and ORK0001, ORK0002, ORK0004 and ORK0101 where
/// a chain leaves the role: into another assembly that says what its members do, or into a type of role Edge.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ChainAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.WallClock, Rules.Randomness, Rules.DirectIO,
        Rules.WorkerDials);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var chains = new Chains(start.Compilation, new RoleReader(), new EffectReader());
            start.RegisterOperationAction(
                chains.Use, OperationKind.Invocation, OperationKind.ObjectCreation, OperationKind.PropertyReference, OperationKind.MethodReference);
            start.RegisterCompilationEndAction(chains.End);
        });
    }

    private sealed class Chains(Compilation compilation, RoleReader roles, EffectReader effects)
    {
        private static readonly (Effect Effect, Rule Rule, string Instead)[] Held =
        [
            (Effect.Clock, Rules.WallClock, "use the TimeProvider that is handed in"),
            (Effect.Chance, Rules.Randomness, "use the IEntropy that is handed in"),
            (Effect.Network | Effect.Disk, Rules.DirectIO, "let a port of the kernel do it"),
        ];

        private readonly CallGraph _graph = new();
        private readonly ConcurrentBag<(ISymbol Member, IOperation At)> _exchanges = [];
        private readonly ConcurrentBag<(ISymbol Member, int Ordinal)> _sendsKind = [];
        private readonly ConcurrentBag<(ISymbol Caller, ISymbol Callee, int Ordinal, IOperation At, IParameterSymbol? Own)> _kinds = [];
        private readonly ConcurrentBag<(ISymbol Member, ISymbol Callee, IOperation At)> _leaves = [];
        private readonly ConcurrentDictionary<ISymbol, Effect> _edge = new(SymbolEqualityComparer.Default);

        internal void Use(OperationAnalysisContext context)
        {
            var operation = context.Operation;
            if (DirectEffects.MemberOf(operation) is not { } member) return;
            var caller = context.ContainingSymbol;
            var role = roles.Of(caller);
            var isOwn = SymbolEqualityComparer.Default.Equals(member.ContainingAssembly, compilation.Assembly);
            if (isOwn) _graph.Add(caller, member, operation.Syntax);
            if (role == Roles.Edge) NoteEdge(caller, operation);
            else if (isOwn ? roles.Of(member) == Roles.Edge : effects.Of(member) != Effect.None) _leaves.Add((caller, member, operation));
            if (role == Roles.Worker) UseOfWorker(caller, member, operation);
        }

        internal void End(CompilationAnalysisContext context)
        {
            SpreadKinds();
            foreach (var (member, at) in _exchanges)
            {
                if ((effects.AllowedIn(member) & Effect.DialsKernel) == 0) Tell(context, Rules.WorkerDials, member, at, [], null);
            }

            foreach (var (member, callee, at) in _leaves) EndLeaving(context, member, callee, at);
        }

        private void UseOfWorker(ISymbol caller, ISymbol member, IOperation operation)
        {
            if (Exchanges.Starts(operation, member))
            {
                _exchanges.Add((caller, operation));
                return;
            }

            if (operation is not IInvocationOperation call) return;
            if (Exchanges.KindOf(call) is { } kind && Uses.Unwrap(kind) is IParameterReferenceOperation { Parameter: var own }
                && own.ContainingSymbol is IMethodSymbol of)
                _sendsKind.Add((of.OriginalDefinition, own.Ordinal));
            foreach (var argument in call.Arguments)
            {
                if (!Uses.IsNamed(argument.Parameter?.Type, Exchanges.FrameKind)) continue;
                var value = Uses.Unwrap(argument.Value);
                if (Exchanges.IsRequest(value)) _kinds.Add((caller, call.TargetMethod.OriginalDefinition, argument.Parameter!.Ordinal, operation, null));
                else if (value is IParameterReferenceOperation { Parameter: var passed }) _kinds.Add((caller, call.TargetMethod.OriginalDefinition,
                    argument.Parameter!.Ordinal, operation, passed));
            }
        }

        /// <summary>Who hands <c>FrameKind.Request</c> to a method that sends what it is handed starts the exchange.</summary>
        private void SpreadKinds()
        {
            var sends = new HashSet<(ISymbol Member, int Ordinal)>(_sendsKind);
            while (_kinds.Where(kind => kind.Own is { ContainingSymbol: IMethodSymbol } && sends.Contains((kind.Callee, kind.Ordinal)))
                .Any(kind => sends.Add((((IMethodSymbol)kind.Own!.ContainingSymbol).OriginalDefinition, kind.Own.Ordinal))))
            {
            }

            foreach (var (caller, callee, ordinal, at, own) in _kinds)
            {
                if (own is null && sends.Contains((callee, ordinal))) _exchanges.Add((caller, at));
            }
        }

        private void NoteEdge(ISymbol caller, IOperation operation)
        {
            var effect = DirectEffects.Of(operation);
            if (DirectEffects.MemberOf(operation) is { } member) effect |= effects.Of(member);
            effect &= ~effects.AllowedIn(caller);
            if (effect != Effect.None) _edge.AddOrUpdate(CallGraph.MemberOf(caller), effect, (_, known) => known | effect);
        }

        private void EndLeaving(CompilationAnalysisContext context, ISymbol member, ISymbol callee, IOperation at)
        {
            var role = roles.Of(member);
            var path = new List<CallSite>();
            var does = SymbolEqualityComparer.Default.Equals(callee.ContainingAssembly, compilation.Assembly)
                ? EffectOfEdge(CallGraph.MemberOf(callee), [], path) : effects.Of(callee);
            does &= ~effects.AllowedIn(member);
            foreach (var (effect, rule, instead) in Held)
            {
                if ((does & effect) != 0 && (rule.Roles & role) != 0) Tell(context, rule, member, at, path, instead);
            }

            if ((does & Effect.DialsKernel) != 0 && (Rules.WorkerDials.Roles & role) != 0
                && !Exchanges.Starts(at, callee)) Tell(context, Rules.WorkerDials, member, at, path, null);
        }

        private Effect EffectOfEdge(ISymbol member, HashSet<ISymbol> seen, List<CallSite> path)
        {
            if (!seen.Add(member)) return Effect.None;
            var does = _edge.TryGetValue(member, out var own) ? own : Effect.None;
            foreach (var call in _graph.From(member))
            {
                var inner = EffectOfEdge(call.Callee, seen, path);
                if ((inner & ~does) != 0) path.Insert(0, call);
                does |= inner;
            }

            return does & ~effects.AllowedIn(member);
        }

        private void Tell(CompilationAnalysisContext context, Rule rule, ISymbol member, IOperation at, IReadOnlyList<CallSite> onwards, string? instead)
        {
            var before = _graph.ChainTo(CallGraph.MemberOf(member));
            var names = before.Select(call => Name(call.Caller)).Append(Name(CallGraph.MemberOf(member))).Append(Name(DirectEffects.MemberOf(at)!)).Concat(onwards.Select(call => Name(call.Callee)));
            var chain = string.Join(" -> ", names);
            var places = before.Concat(onwards).Select(call => call.At);
            object[] says = instead is null ? [chain] : [chain, instead];
            context.ReportDiagnostic(Diagnostic.Create(rule.Descriptor, at.Syntax.GetLocation(), places, says));
        }

        private static string Name(ISymbol symbol) => symbol is IMethodSymbol { MethodKind: MethodKind.Constructor }
            ? $"new {symbol.ContainingType.Name}" : symbol.ContainingType is { } type ? $"{type.Name}.{symbol.Name}" : symbol.Name;
    }
}
