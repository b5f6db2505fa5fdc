using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Tasks;

/// <summary>
/// ORK0010: async methods that return nothing to wait for, and tasks that are dropped. A task may be dropped where the method that makes it handles whatever it throws
/// by itself.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ObservedAnalyzer : DiagnosticAnalyzer
{
    private const string Await = "await it, or keep it where its end is looked at";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Unobserved);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            start.RegisterSymbolAction(at => Method(at, roles), SymbolKind.Method);
            start.RegisterOperationAction(at => Function(at, roles), OperationKind.AnonymousFunction, OperationKind.LocalFunction);
            start.RegisterOperationAction(at => Statement(at, roles), OperationKind.ExpressionStatement);
            start.RegisterOperationAction(at => Declarator(at, roles), OperationKind.VariableDeclarator);
        });
    }

    private static void Method(SymbolAnalysisContext context, RoleReader roles)
    {
        if (context.Symbol is IMethodSymbol { IsAsync: true, ReturnsVoid: true }) context.Find(roles, Rules.Unobserved, $"{context.Symbol.Name} is async void", "return a Task");
    }

    private static void Function(OperationAnalysisContext context, RoleReader roles)
    {
        var symbol = context.Operation is IAnonymousFunctionOperation function ? function.Symbol : ((ILocalFunctionOperation)context.Operation).Symbol;
        if (symbol is { IsAsync: true, ReturnsVoid: true }) context.Find(roles, Rules.Unobserved, context.Operation, "An async function is async void here",
            "give it to something that takes a Func<Task>");
    }

    private static void Statement(OperationAnalysisContext context, RoleReader roles)
    {
        var dropped = ((IExpressionStatementOperation)context.Operation).Operation;
        if (dropped is ISimpleAssignmentOperation { Target: IDiscardOperation, Value: var value }) dropped = value;
        else if (dropped is IAssignmentOperation or IAwaitOperation or IIncrementOrDecrementOperation) return;
        dropped = Uses.Unwrap(dropped);
        if (dropped is IConditionalAccessOperation access) dropped = access.WhenNotNull;
        if (!IsTask(dropped.Type) || Observes(dropped, context.CancellationToken)) return;
        context.Find(roles, Rules.Unobserved, dropped, $"Nobody observes the task of {Name(dropped)}", Await);
    }

    /// <summary>A local that holds a task and is never looked at.</summary>
    private static void Declarator(OperationAnalysisContext context, RoleReader roles)
    {
        var declarator = (IVariableDeclaratorOperation)context.Operation;
        var value = declarator.GetVariableInitializer()?.Value;
        if (value is null || !IsTask(declarator.Symbol.Type) || Uses.Unwrap(value) is not IInvocationOperation call || Observes(call, context.CancellationToken)) return;
        if (declarator.Syntax.FirstAncestorOrSelf<LocalDeclarationStatementSyntax>()?.UsingKeyword.RawKind is not (null or 0)) return;
        if (declarator.Root().Descendants().Any(operation => operation is ILocalReferenceOperation reference
            && SymbolEqualityComparer.Default.Equals(reference.Local, declarator.Symbol))) return;
        context.Find(roles, Rules.Unobserved, declarator, $"Nobody observes the task of {Name(call)}", Await);
    }

    private static string Name(IOperation operation) => operation is IInvocationOperation call ? call.TargetMethod.Name : operation.Syntax.ToString();

    private static bool IsTask(ITypeSymbol? type) => type is { ContainingNamespace: { } space }
        && (type.Name is "Task" or "ValueTask" || (type.Name.StartsWith("Configured", StringComparison.Ordinal)
            && type.Name.EndsWith("Awaitable", StringComparison.Ordinal)))
        && space.ToDisplayString() is "System.Threading.Tasks" or "System.Runtime.CompilerServices";

    /// <summary>A continuation that is handed the task observes it; so does a method of which no exception comes out.</summary>
    private static bool Observes(IOperation operation, CancellationToken cancellation)
    {
        if (operation is not IInvocationOperation { TargetMethod: var method }) return false;
        if (method.Name == "ContinueWith") return true;
        if (method.ContainingType is { Name: "Task" or "ValueTask" } && method.Name is "FromResult" or "get_CompletedTask") return true;
        return method.OriginalDefinition.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax(cancellation)).Any(CatchesAll);
    }

    /// <summary>True for an async method each of whose waits and throws stands in a try that catches everything. A plain delay throws nothing.</summary>
    private static bool CatchesAll(SyntaxNode declaration)
    {
        SyntaxNode? body = declaration switch
        {
            BaseMethodDeclarationSyntax method => method.Body,
            LocalFunctionStatementSyntax local => local.Body,
            _ => null,
        };
        if (body is null) return false;
        var risks = body.DescendantNodes(node => node is not (AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax))
            .Where(node => node is AwaitExpressionSyntax or ThrowStatementSyntax or ThrowExpressionSyntax).Where(node => !IsPlainDelay(node)).ToArray();
        return body.DescendantNodes().OfType<TryStatementSyntax>().Any(attempt => attempt.Catches.Any(HandlesAll)) && risks.All(risk => IsCaught(risk, body));
    }

    private static bool IsPlainDelay(SyntaxNode node) => node is AwaitExpressionSyntax { Expression: InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Delay" or "Yield" } access } call }
        && access.Expression.ToString() is "Task" && !call.ArgumentList.Arguments.Any(argument =>
            argument.ToString().IndexOf("oken", StringComparison.Ordinal) >= 0 || argument.ToString() == "cancellation");

    private static bool IsCaught(SyntaxNode risk, SyntaxNode body)
    {
        for (SyntaxNode at = risk; at != body && at.Parent is { } parent; at = parent)
        {
            if (parent is TryStatementSyntax attempt && attempt.Block == at && attempt.Catches.Any(HandlesAll)) return true;
        }

        return false;
    }

    private static bool HandlesAll(CatchClauseSyntax clause) => clause.Filter is null
        && (clause.Declaration?.Type.ToString() is null or "Exception" or "System.Exception")
        && !clause.Block.DescendantNodes().Any(node => node is ThrowStatementSyntax or ThrowExpressionSyntax);
}
