using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Bounds;

/// <summary>
/// ORK0304: loops, and methods that call themselves from a catch, that try the same thing until it succeeds. A retry has a limit (a count, a deadline, a token), a pause
/// that grows, and jitter in it. A loop that goes on to the next item, or asks again at a steady pace, is no retry.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RetryAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Retry);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Retry)) return;
            start.RegisterOperationAction(at => Loop(at, roles), OperationKind.Loop);
            start.RegisterOperationAction(at => Recursion(at, roles), OperationKind.CatchClause);
        });
    }

    private static void Loop(OperationAnalysisContext context, RoleReader roles)
    {
        if (context.Operation is not ILoopOperation loop || (Rules.Retry.Roles & roles.Of(context.ContainingSymbol)) == 0 || !RetryShape.IsRetry(loop)) return;
        Tell(context, roles, loop, new RetryShape(loop, loop.Body, RetryShape.Changed(loop)).Missing(loop));
    }

    /// <summary>A method that calls itself where it failed.</summary>
    private static void Recursion(OperationAnalysisContext context, RoleReader roles)
    {
        var clause = (ICatchClauseOperation)context.Operation;
        if (context.ContainingSymbol is not IMethodSymbol method || (Rules.Retry.Roles & roles.Of(method)) == 0) return;
        var again = clause.Handler.Descendants().OfType<IInvocationOperation>()
            .FirstOrDefault(call => SymbolEqualityComparer.Default.Equals(call.TargetMethod.OriginalDefinition, FunctionOf(clause, method).OriginalDefinition));
        if (again is null)
        {
            Jump(context, roles, clause);
            return;
        }

        var changed = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (var argument in again.Arguments)
        {
            if (argument.Parameter is { } parameter && Uses.Unwrap(argument.Value) is not IParameterReferenceOperation) changed.Add(parameter.OriginalDefinition);
        }

        IOperation root = clause;
        while (root.Parent is not null && root is not ILocalFunctionOperation) root = root.Parent;
        Tell(context, roles, again, new RetryShape(root, root, changed).Missing(null));
    }

    /// <summary>A jump from a catch to before its try is a loop without the name.</summary>
    private static void Jump(OperationAnalysisContext context, RoleReader roles, ICatchClauseOperation clause)
    {
        var jump = clause.Handler.Descendants().OfType<IBranchOperation>().FirstOrDefault(branch => branch.BranchKind == BranchKind.GoTo);
        if (jump?.Target.DeclaringSyntaxReferences is not [var label, ..] || label.Span.Start > clause.Syntax.SpanStart) return;
        IOperation root = clause;
        while (root.Parent is not null && root is not ILocalFunctionOperation) root = root.Parent;
        Tell(context, roles, jump, new RetryShape(root, root, RetryShape.ChangedIn(root)).Missing(null));
    }

    private static IMethodSymbol FunctionOf(IOperation operation, IMethodSymbol container)
    {
        for (var at = operation.Parent; at is not null; at = at.Parent)
        {
            if (at is ILocalFunctionOperation local) return local.Symbol;
        }

        return container;
    }

    private static void Tell(OperationAnalysisContext context, RoleReader roles, IOperation at, IReadOnlyList<string> missing)
    {
        if (missing.Count == 0) return;
        var says = missing.Count == 1 ? missing[0] : $"{string.Join(", no ", missing.Take(missing.Count - 1))} and no {missing[missing.Count - 1]}";
        if ((Rules.Retry.Roles & roles.Of(context.ContainingSymbol)) == 0) return;
        var first = at.Syntax.GetFirstToken().GetLocation();
        context.ReportDiagnostic(Diagnostic.Create(Rules.Retry.Descriptor, at is ILoopOperation ? first : at.Syntax.GetLocation(), says));
    }
}
